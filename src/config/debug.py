"""`debug=true`: everything an experiment does, as little of it as there can be, to see that it runs."""

from __future__ import annotations

from collections.abc import Sequence

SWITCH = "debug=true"
SMALLEST = (
    *("root=runs/debug", "distributed.processes=1", "distributed.threads=1", "checkpoint.every_steps=1"),
    *("world=small", "pretrain.from_scratch=false", "pretrain.steps=2"),
    *("world.sft_examples_per_language=4", "world.validation_examples_per_language=1"),
    *("sft.epochs=1", "sft.sequences_per_step=4", "sft.maximum_steps=2", "sft.validate_every_steps=1"),
    *("grpo.steps=2", "grpo.prompts_per_step=4", "grpo.completions_per_prompt=2", "grpo.updates_per_step=1"),
    *("grpo.prompts_per_language=4", "rollout.maximum_new_tokens=64"),
    *("evaluation.problems=2", "evaluation.samples=1", "traces.problems=2", "prompts.problems=4"),
)


def smallest(overrides: Sequence[str]) -> list[str]:
    """The overrides of a command line with those of the smallest run in place of `debug=true`; what else is given there goes
    before them. `debug=false` is what holds without it."""
    switches = [text for text in overrides if text.lower() in (SWITCH, "debug=false")]
    own = [text for text in overrides if text not in switches]
    if not switches or switches[-1].lower() != SWITCH:
        return own
    given = {text.lstrip("+").partition("=")[0] for text in own}
    return [*own, *(text for text in SMALLEST if text.partition("=")[0] not in given)]

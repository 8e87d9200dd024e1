"""Settings that change no result: how fast, in how much memory, on how many processes, and where a run works.

A run may be killed with some of them and go on with others: its directory, its stages and its checkpoints are the same.
Results may differ by rounding, as sums are taken in another order. Every other setting must be among the inputs of a stage.
"""

from __future__ import annotations

from collections.abc import Collection

from src.services.spec import OF_SERVICES, SERVICE

# Each stands for itself and for what is below it.
CHANGE_NOTHING = frozenset(
    (
        *("root", "scale", "hydra"),
        *("tracking", "distributed", "checkpoint", "report", "cluster"),
        *("model.attention", "model.gradient_checkpointing"),
        *("sft.tokens_per_microbatch", "grpo.tokens_per_microbatch"),
        *("rollout.rows_at_once", "rollout.sync", "rollout.vllm", "rollout.timeout_s"),
        *("rollout.probe_rows", "rollout.mismatch_limit"),
        *("evaluation.pass_at", "data.maximum_faulty"),
        *("evaluation.questions_per_part", "prompts.difficulty.questions_per_part"),
        *("grader.workers", "grader.packages"),
        *(f"traces.teacher.{name}" for name in SERVICE),
        *OF_SERVICES,
    )
)
# What is measured on the way is no result, but a run that was not asked for it has not measured it.
MEASURED_ON_THE_WAY = frozenset(("evaluation.every", "evaluation.every_problems"))
# What one stage alone reads: nothing to a run without it.
READ_BY_ONE = {
    "traces": frozenset(("traces",)),
    "prompts": frozenset(("prompts",)),
    "merge": frozenset(("merge",)),
    "sft": frozenset(("sft", "mix", "data.sft", "data.validation", "data.validation_share", "data.samples")),
    "grpo": frozenset(("grpo", "objective", "schedule", "reward", "services", "calibration", "data.prompts")),
}


def is_among(key: str, settings: Collection[str]) -> bool:
    """Whether the setting `key` is one of `settings`, or below one."""
    names = key.split(".")
    return any(".".join(names[:length]) in settings for length in range(1, len(names) + 1))

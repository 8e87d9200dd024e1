"""Which cosines earn 0 and 1 in each language: `python -m src calibrate +experiment=pivot [key=value ...] > conf/calibration/<name>.yaml`.

0 is the mean cosine of a worked example with the reference of another problem, 1 with that of its own. The examples are those
of SFT (data.sft, or the world's in world.languages), the references and the embedder those of `services`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from src.commands.base import show_of_config
from src.common.errors import UserError
from src.config.schema import Config

if TYPE_CHECKING:
    from src.data.records import Example
    from src.data.references import Reference
    from src.rollout.services import Services

EXAMPLES = 60  # of a language
FEWEST = 5


def show(config: Config) -> str:
    """The calibration as yaml, language after language, with how many pairs it rests on.

    Raises:
        UserError: a language has too few examples with a reference, or the embedder cannot tell.
    """
    from src.data import sources
    from src.rewards.base import COSINE
    from src.rollout.services import Services

    everything = replace(config.world, trained_languages=list(config.world.languages))
    examples = sources.sft_examples(config.data, everything, config.seed)
    embedder = config.services.embedder
    of = "the world itself" if embedder.by == "world" else embedder.model
    lines = [f"# Cosines of an unrelated and of the right reference in {config.services.pivot}, by language: {of}."]
    with (
        TemporaryDirectory() as folder,
        Services.of(config.services, config.data, [COSINE], Path(folder), 0) as services,
    ):
        for code in sorted({row.language for row in examples}):
            rows = [(row, services.references(row)) for row in examples if row.language == code]
            known = [(row, reference) for row, reference in rows if reference is not None][:EXAMPLES]
            low, high = _levels(known, services, config.model.thinks, code)
            lines.append(f"{code}: {{low: {low:.3f}, high: {high:.3f}}} # {len(known)} pairs")
    return "\n".join(lines)


def _levels(
    known: Sequence[tuple[Example, Reference]], services: Services, thinks: bool, code: str
) -> tuple[float, float]:
    """The mean cosines of unrelated and of right pairs."""
    from src.language.trace import split_trace
    from src.services.base import Pair

    traces = [split_trace(row.completion, thinks).think for row, _ in known]
    wanted = [split_trace(reference.completion, thinks).think for _, reference in known]
    problems = [row.problem for row, _ in known]
    others = [
        next((place for place in range(own + 1, own + len(known)) if problems[place % len(known)] != problem), None)
        for own, problem in enumerate(problems)
    ]
    if len(known) < FEWEST or None in others:
        raise UserError(
            f"a calibration needs at least {FEWEST} examples of different problems in each language, with references; {code} "
            f"has {len(known)}. Give data.sft and services.references with the same ids of problems"
        )
    pivot = services.spec.pivot
    means = []
    for texts in ([wanted[place % len(known)] for place in others if place is not None], wanted):
        pairs = [Pair(text, other, code, pivot) for text, other in zip(traces, texts, strict=True)]
        values = [value for value in services.embedder(pairs, 0).values if value is not None]
        if not values:
            raise UserError(f"the embedder could not tell of any pair in {code}: see services.embedder")
        means.append(sum(values) / len(values))
    if means[0] >= means[1]:
        raise UserError(
            f"in {code} the right references are no closer than others (cosines {means[1]:.3f} and {means[0]:.3f}): this "
            "embedder cannot judge reasoning there"
        )
    return means[0], means[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    return show_of_config(show, arguments, __doc__ or "")

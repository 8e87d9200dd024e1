"""The evidence that rewards may ask of services: what it is called, who gives it, and for which samples it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src.rewards.base import AGREES, COSINE, PIVOT, SHARES, THOUGHTS, TRANSLATION, Sample, needs_of

# Evidence -> the settings of `services` that it depends on.
_REFERENCE = ("services.pivot", "services.references")
SERVED = {
    THOUGHTS: (*_REFERENCE, "services.judge"),
    COSINE: (*_REFERENCE, "services.embedder"),
    AGREES: _REFERENCE,
    TRANSLATION: (*_REFERENCE, "services.translator"),
    PIVOT: (*_REFERENCE, "services.translator", "services.own_answers"),
}
PROVIDED = (SHARES, *SERVED)  # evidence that a run of GRPO gathers


def served_needs(reward: Any) -> list[str]:
    """The evidence that `reward` asks of services."""
    return sorted(needs_of(reward) & SERVED.keys())


def services_of(reward: Any) -> list[str]:
    """The settings of `services` that what `reward` gives depends on."""
    return sorted({setting for need in served_needs(reward) for setting in SERVED[need]})


def asks(reward: Any, samples: Sequence[Sample]) -> dict[str, list[bool]]:
    """Which samples `reward` needs each piece of evidence of, [N] each: not those that a closed gate has decided already.
    They must have the evidence of the detector."""
    own: Any = getattr(reward, "asks", None)
    asked: dict[str, list[bool]] = own(samples) if own else {}
    return asked or {need: [True] * len(samples) for need in sorted(needs_of(reward))}


def merged(several: Sequence[dict[str, list[bool]]]) -> dict[str, list[bool]]:
    """Evidence -> samples that any of `several` needs it of."""
    needs = sorted({need for one in several for need in one})
    return {
        need: [any(row) for row in zip(*(one[need] for one in several if need in one), strict=True)] for need in needs
    }

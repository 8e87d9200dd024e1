"""Samples for examples and tests of rewards."""

from __future__ import annotations

from typing import Any

from src.grading.spec import Grade, Status
from src.language.fidelity import Fidelity
from src.rewards.base import Sample


def sample(correct: bool = True, detected: str | None = "sw", closed: bool = True, **fields: Any) -> Sample:
    """A completion of a Swahili question; `fields` are those of `Sample`."""
    in_language = closed and detected == "sw"
    fidelity = Fidelity(
        detected=detected,
        in_language=in_language,
        line_pass=in_language,
        word_pass=in_language,
        closed=closed,
        sentences=int(detected is not None),
        switches=(),
        foreign_script=0.0,
        answer_detected=None,
    )
    given: dict[str, Any] = {
        "query_language": "sw",
        "gold": "72",
        "completion": "Ana 72.\n</think>\n\n\\boxed{72}",
        "grade": Grade(Status.RIGHT if correct else Status.WRONG, "72" if correct else "71", "boxed"),
        "fidelity": fidelity,
        "length": 20,
        "truncated": False,
    }
    return Sample(**(given | fields))

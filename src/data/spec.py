"""Where a run's data comes from; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = ("plain", "localised_plain")  # instructions with questions in plain notation
INSTRUCTIONS = ("none", "localised", *PLAIN)


@dataclass(frozen=True)
class DataSpec:
    """JSONL files of your own instead of the embedded world's; `null` takes the world's.

    `sft` and `validation` hold worked examples, `prompts` questions for GRPO (the fields are those of
    `src/data/records.py`); questions to evaluate by are a benchmark's (`conf/benchmark/`). `instruction` is `none`, or
    `localised`: a line in the language of the question asks for step by step reasoning and a boxed answer; `plain` and
    `localised_plain` are the same with the question in plain notation (`src/data/notation.py`).
    `validation_share` of the problems of `sft`, in all their languages, are held out where `validation` is not given.
    `maximum_faulty` is the share of the worked examples that may be faulty (`src.data.example_faults`): more stop the run.
    """

    sft: str | None = None
    validation: str | None = None
    prompts: str | None = None
    instruction: str = "none"
    validation_share: float = 0.0
    maximum_faulty: float = 0.02

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.instruction not in INSTRUCTIONS:
            violations.append(f"data.instruction must be one of {', '.join(INSTRUCTIONS)}; got {self.instruction!r}")
        if not 0 <= self.validation_share < 1:
            violations.append(f"data.validation_share is a share in [0, 1); got {self.validation_share}")
        if not 0 <= self.maximum_faulty <= 1:
            violations.append(f"data.maximum_faulty is a share in [0, 1], 1 to train on all; got {self.maximum_faulty}")
        return violations

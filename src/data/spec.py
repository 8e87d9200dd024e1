"""Where a run's data comes from; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

from src.data.formats import Layout
from src.data.shapes import FIELDS
from src.language.table import UnknownLanguage, code_of

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
    `fields` maps a field of ours to the column that holds it (dots lead into objects), `language` is that of rows that name none:
    for files, and names in repositories (`src.data.hub`), whose columns are named otherwise (`src.data.shapes`).
    `samples` holds right answers of the model itself, for a mix that takes them (`src.data.samples`).
    `maximum_faulty` is the share of the worked examples that may be faulty (`src.data.example_faults`): more stop the run.
    """

    sft: str | None = None
    validation: str | None = None
    prompts: str | None = None
    samples: str | None = None
    instruction: str = "none"
    validation_share: float = 0.0
    maximum_faulty: float = 0.02
    fields: dict[str, str] = field(default_factory=dict)
    language: str | None = None

    @property
    def layout(self) -> Layout:
        """How the columns of the files are named."""
        return Layout("auto", code_of(self.language) if self.language else None, dict(self.fields))

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.instruction not in INSTRUCTIONS:
            violations.append(f"data.instruction must be one of {', '.join(INSTRUCTIONS)}; got {self.instruction!r}")
        if not 0 <= self.validation_share < 1:
            violations.append(f"data.validation_share is a share in [0, 1); got {self.validation_share}")
        if unknown := sorted(set(self.fields) - set(FIELDS)):
            violations.append(
                f"data.fields must be among {', '.join(FIELDS)}; got {', '.join(unknown)}. Each is mapped to the column that holds it"
            )
        if self.language is not None:
            try:
                code_of(self.language)
            except UnknownLanguage as error:
                violations.append(f"data.language: {error}")
        if not 0 <= self.maximum_faulty <= 1:
            violations.append(f"data.maximum_faulty is a share in [0, 1], 1 to train on all; got {self.maximum_faulty}")
        return violations

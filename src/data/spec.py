"""Where a run's data comes from; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSpec:
    """JSONL files of your own instead of the embedded world's; `null` takes the world's.

    `sft` and `validation` hold worked examples, `prompts` questions for GRPO, `evaluation` questions to judge by
    (the fields are those of `src/data/records.py`).
    """

    sft: str | None = None
    validation: str | None = None
    prompts: str | None = None
    evaluation: str | None = None

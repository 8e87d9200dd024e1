"""DAPO-Math in five languages: the prompts that AdaMame is trained with, as a benchmark and to look for leaks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from src.data.benchmarks.base import Benchmark
from src.data.readers import BadData, gold_of, parquet_rows, text_of
from src.data.records import Question
from src.language.table import TRAINED, UnknownLanguage, code_of

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec


@dataclass(frozen=True)
class DapoMath(Benchmark):
    """Files `<split>.parquet`: `prompt`, a chat of one message (instruction, blank line, question), `lang` and
    `reward_model.ground_truth`. Translations of a problem are not linked, so each row is a problem of its own,
    `<language>-<row>`, the first row being 0."""

    def splits(self) -> tuple[str, ...]:
        return ("train_1k", "train_5k", "val")

    def languages(self) -> tuple[str, ...]:
        return TRAINED

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        rows = [
            _question(index, where, row)
            for index, (where, row) in enumerate(parquet_rows(self.file(f"{split}.parquet")))
        ]
        return [row for code in languages for row in rows if row.language == code]


def _question(index: int, where: str, row: dict[str, Any]) -> Question:
    code = text_of(row, "lang", where)
    with suppress(UnknownLanguage):
        code = code_of(code)
    if code not in TRAINED:
        raise BadData(f"{where}, field 'lang': must be one of {', '.join(TRAINED)}; got {code!r:.80}.")
    chat = row.get("prompt")
    reward = row.get("reward_model")
    if not isinstance(chat, list) or len(chat) != 1 or not isinstance(chat[0], dict):
        raise BadData(f"{where}, field 'prompt': must be a list of one message; got {chat!r:.80}.")
    if not isinstance(reward, dict):
        raise BadData(f"{where}, field 'reward_model': must hold ground_truth; got {reward!r:.80}.")
    instruction, _, question = text_of(chat[0], "content", where).partition("\n\n")
    if "\\boxed{}" not in instruction or not question.strip():
        raise BadData(
            f"{where}, field 'content': must be an instruction with \\boxed{{}}, a blank line and the question; "
            f"got {instruction!r:.80}."
        )
    return Question(f"{code}-{index}", code, question.strip(), gold_of(reward, "ground_truth", where))

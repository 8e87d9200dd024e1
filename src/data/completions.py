"""Saved completions of any origin, to be scored without a model: JSONL or parquet, one row a completion.

Fields: `id` (shared by the translations of one problem), `language`, `completion`, `gold`; and where known `sample`,
`split`, `question`, `kind`, `part`, `tokens`, `truncated`. A row without `gold` takes the benchmark's. The file decides
what is scored: languages, problems and samples are those of its rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from src.data.readers import BadData, encodable, json_lines, parquet_rows, text_of
from src.data.records import KINDS, Question
from src.language.table import UnknownLanguage, language

_NAME = re.compile(r"[\w-]{1,64}")  # it names files


@dataclass(frozen=True)
class Completion:
    """`question.question` may be empty. `tokens` and `truncated` are None where the file does not say."""

    question: Question
    split: str
    sample: int
    text: str
    tokens: int | None
    truncated: bool | None


def read_completions(
    path: str | Path, known: Mapping[str, Sequence[Question]] | None = None, split: str = "test"
) -> list[Completion]:
    """All rows of the file, in order; `known` are the benchmark's questions by split, for golds the file leaves out.

    Raises:
        BadData: a row without a needed field, of a wrong type, in an unknown language, without a gold answer, the same
            sample twice, a problem with two golds, or not in every language; names file, line and field.
    """
    path = Path(path)
    questions = {(name, q.problem, q.language): q for name, rows in (known or {}).items() for q in rows}
    first: dict[tuple[str, str, str], Question] = {}
    counted: Counter[tuple[str, str, str]] = Counter()
    seen: set[tuple[str, str, str, int]] = set()
    completions = []
    for where, row in _rows(path):
        problem = text_of(row, "id", where)
        code = text_of(row, "language", where)
        try:
            language(code)
        except UnknownLanguage as error:
            raise BadData(f"{where}, field 'language': {error}") from None
        text = row.get("completion")
        if not isinstance(text, str):  # an empty completion is one; a missing one is not
            raise BadData(f"{where}, field 'completion': must be a string; got {text!r:.80}.")
        key = (_split(row, where, split), problem, code)
        question = _question(row, where, key, questions.get(key))
        other = first.setdefault(key, question)
        if (other.gold, other.kind, other.part) != (question.gold, question.kind, question.part):
            raise BadData(
                f"{where}, field 'gold': id {problem!r} in {code} has gold {question.gold!r:.80}, kind {question.kind}, part "
                f"{question.part!r} here, and {other.gold!r:.80}, {other.kind}, {other.part!r} before. A problem has one of each."
            )
        number = row.get("sample")
        if number is None:
            number = counted[key]
            counted[key] += 1
        sample = (*key, _whole(number, "sample", where))
        if sample in seen:
            raise BadData(f"{where}, field 'sample': {sample[-1]} of id {problem!r} in {code} is there already.")
        seen.add(sample)
        tokens = row.get("tokens")
        truncated = row.get("truncated")
        if truncated is not None and not isinstance(truncated, bool):
            raise BadData(f"{where}, field 'truncated': must be true, false or left out; got {truncated!r:.80}.")
        count = None if tokens is None or tokens != tokens else _whole(tokens, "tokens", where)
        completions.append(Completion(question, key[0], sample[-1], text, count, truncated))
    if not completions:
        raise BadData(f"{path}: holds no rows. At least one is needed.")
    _check_complete(path, completions)
    return completions


def splits_without_golds(path: str | Path, split: str = "test") -> list[str]:
    """The splits in which a row leaves its gold answer to the benchmark."""
    rows = _rows(Path(path))
    return list(dict.fromkeys(_split(row, where, split) for where, row in rows if row.get("gold") is None))


def _check_complete(path: Path, completions: Sequence[Completion]) -> None:
    """Either the languages share all problems or none: averages and pairs need it."""
    for split in dict.fromkeys(item.split for item in completions):
        sets: dict[str, dict[str, None]] = {}
        for item in completions:
            if item.split == split:
                sets.setdefault(item.question.language, {})[item.question.problem] = None
        every = dict.fromkeys(problem for problems in sets.values() for problem in problems)
        if len(every) == sum(map(len, sets.values())):
            continue
        missing = [(problem, code) for problem in every for code, problems in sets.items() if problem not in problems]
        if missing:
            problem, code = missing[0]
            raise BadData(
                f"{path}, split {split}: problems that occur in several languages must occur in all of {', '.join(sets)}; "
                f"id {problem!r} has no row in {code} ({len(missing)} such gaps). Add the rows, or leave those problems out."
            )


def _split(row: dict[str, Any], where: str, default: str) -> str:
    split = row.get("split") or default
    if not isinstance(split, str) or not _NAME.fullmatch(split):
        raise BadData(f"{where}, field 'split': must be a name of letters, digits, - and _; got {split!r:.80}.")
    return split


def _question(row: dict[str, Any], where: str, key: tuple[str, str, str], known: Question | None) -> Question:
    split, problem, code = key
    if row.get("gold") is None:
        if known is None:
            raise BadData(
                f"{where}, field 'gold': missing, and the benchmark has no problem {problem!r} in {code} in its split "
                f"{split}. Give the gold answer in the row, or the benchmark and split the completions are of"
            )
        return known
    kind = row.get("kind") or (known.kind if known else "expression")
    if kind not in KINDS:
        raise BadData(f"{where}, field 'kind': must be one of {', '.join(KINDS)}; got {kind!r:.80}.")
    texts = {"question": "", "part": known.part if known else ""}
    for name in texts:
        if row.get(name) is not None:
            if not isinstance(row[name], str):
                raise BadData(f"{where}, field {name!r}: must be a string or left out; got {row[name]!r:.80}.")
            texts[name] = encodable(row[name], name, where)
    return Question(problem, code, texts["question"], text_of(row, "gold", where), kind=kind, part=texts["part"])


def _whole(value: Any, name: str, where: str) -> int:
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not number or value != int(value) or value < 0:
        raise BadData(f"{where}, field {name!r}: must be a whole number, 0 or more; got {value!r:.80}.")
    return int(value)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.suffix == ".jsonl":
        return json_lines(path)
    if path.suffix == ".parquet":
        return parquet_rows(path)
    raise BadData(f"{path}: completions are read from .jsonl or .parquet files; got the ending {path.suffix!r}.")

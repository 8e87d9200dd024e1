"""Saved completions of any origin, to be scored without a model.

Fields: `id` (or `problem`; shared by the translations of one problem), `language`, `completion`, `gold`; and where known
`sample`, `split`, `question`, `kind`, `part`, `tokens`, `truncated`. Files of other tools are turned into such rows by
`src.data.formats`. A row without `gold` takes the benchmark's, by its id or by the question in its prompt. The file
decides what is scored: languages, problems and samples are those of its rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from src.data.formats import Layout, Row, read_rows, text_id
from src.data.leaks import plain
from src.data.readers import LONGEST, BadData, encodable, gold_of, short, text_of
from src.data.records import KINDS, Question
from src.language.table import UnknownLanguage, code_of

_NAME = re.compile(r"[\w-]{1,64}")  # it names files
_LARGEST = 2**63 - 1  # of a column of whole numbers
_YES = {"true": True, "1": True, "false": False, "0": False}
_GIVE = {
    "id": "benchmark.fields.id=<field>",
    "language": "benchmark.language=<code> for all rows, or benchmark.fields.language=<field>",
    "completion": "benchmark.fields.completion=<field>",
    "gold": "benchmark.fields.gold=<field>, or the benchmark and split the completions are of",
}


@dataclass(frozen=True)
class Completion:
    """`question.question` may be empty. `tokens` and `truncated` are None where the file does not say."""

    question: Question
    split: str
    sample: int
    text: str
    tokens: int | None
    truncated: bool | None


class Known:
    """The benchmark's questions, by split, and how a row finds its own."""

    def __init__(self, questions: Mapping[str, Sequence[Question]]) -> None:
        self._by_id = {(name, q.problem, q.language): q for name, rows in questions.items() for q in rows}
        self._by_text = {name: _Texts(rows) for name, rows in questions.items()}

    def question(self, row: Row, problem: str | None, split: str, code: str | None) -> Question | None:
        """The question of a row, by its id and language, or where it has no id of the benchmark's by its text; None where
        there is none, or no single one."""
        if problem is not None and not row.get("position"):
            return self._by_id.get((split, problem, code or ""))
        text = row.get("prompt", row.get("question"))
        if not isinstance(text, str) or split not in self._by_text:
            return None
        return self._by_text[split].standing_in(text, code)


class _Texts:
    """Questions by the beginning of their text, to find the one that stands last in a prompt, in linear time."""

    def __init__(self, questions: Iterable[Question]) -> None:
        texts = [(plain(question.question), question) for question in questions]
        self.length = min([24, *(len(text) for text, _ in texts if text)])
        self.starts: dict[str, list[tuple[str, Question]]] = {}
        for text, question in texts:
            if text:
                self.starts.setdefault(text[: self.length], []).append((text, question))

    def standing_in(self, prompt: str, code: str | None) -> Question | None:
        text = plain(prompt)
        for place in range(len(text) - self.length, -1, -1) if self.starts else ():
            standing = [
                (known, question)
                for known, question in self.starts.get(text[place : place + self.length], ())
                if text.startswith(known, place) and code in (None, question.language)
            ]
            if standing:
                longest = max(len(known) for known, _ in standing)
                of_it = [question for known, question in standing if len(known) == longest]
                return of_it[0] if len({question.language for question in of_it}) == 1 else None
        return None


def read_completions(
    path: str | Path,
    known: Mapping[str, Sequence[Question]] | None = None,
    split: str = "test",
    layout: Layout | None = None,
    rows: Sequence[tuple[str, Row]] | None = None,
) -> list[Completion]:
    """All rows of a file or folder, in order; `known` are the benchmark's questions by split, for what the file leaves
    out. `rows` are those of `src.data.formats.read_rows`, where they have been read before.

    Raises:
        BadData: a row without a needed field, of a wrong type, in an unknown language, without a gold answer, the same
            sample twice, a problem with two golds, or not in every language; names file, line and all fields that lack.
    """
    path = Path(path)
    rows = read_rows(path, layout or Layout()) if rows is None else rows
    there = Known(known or {})
    first: dict[tuple[str, str, str], Question] = {}
    numbered: dict[tuple[str, str, str], str] = {}  # the file of an id that is the number of a row
    counted: Counter[tuple[str, str, str]] = Counter()
    seen: set[tuple[str, str, str, int]] = set()
    completions = []
    for where, row in rows:
        of_split = _split(row, where, split)
        question = _question(row, where, of_split, there)
        problem, code = question.problem, question.language
        key = (of_split, problem, code)
        text = row["completion"]
        if not isinstance(text, str):  # an empty completion is one; a missing one is not
            raise BadData(f"{where}, field 'completion': must be a string; got {short(text)}.")
        other = first.setdefault(key, question)
        if (other.gold, other.kind, other.part) != (question.gold, question.kind, question.part):
            raise BadData(
                f"{where}, field 'gold': id {problem!r} in {code} has gold {question.gold!r:.80}, kind {question.kind}, part "
                f"{question.part!r} here, and {other.gold!r:.80}, {other.kind}, {other.part!r} before. A problem has one of each."
            )
        file = where.rpartition(", ")[0]
        if row.get("position") and numbered.setdefault(key, file) != file:
            raise BadData(
                f"{where}: id {problem!r} in {code} is the number of a row, and stands in {numbered[key]} too. Score files of "
                f"different tasks one at a time"
            )
        number = row.get("sample")
        if number is None:
            number = counted[key]
            counted[key] += 1
        sample = (*key, _whole(number, "sample", where))
        if sample in seen:
            raise BadData(f"{where}, field 'sample': {sample[-1]} of id {problem!r} in {code} is there already.")
        seen.add(sample)
        tokens = _whole(row["tokens"], "tokens", where) if "tokens" in row else None
        completions.append(Completion(question, of_split, sample[-1], text, tokens, _truncated(row, where)))
    if not completions:
        raise BadData(f"{path}: holds no rows. At least one is needed.")
    _check_complete(path, completions)
    return completions


def languages_to_look_up(rows: Sequence[tuple[str, Row]], split: str = "test") -> dict[str, list[str] | None]:
    """The splits in which a row leaves its gold answer or its language to the benchmark, with the languages of those rows;
    None where a row does not name its own."""
    needed: dict[str, list[str] | None] = {}
    for where, row in rows:
        code = row.get("language")
        if "gold" in row and code is not None:
            continue
        of_split = _split(row, where, split)
        codes = needed.setdefault(of_split, [])
        if code is None:
            needed[of_split] = None
        elif codes is not None and (named := _code(row, where)) not in codes:
            codes.append(named)
    return needed


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


def _question(row: Row, where: str, split: str, there: Known) -> Question:
    """The question of a row, with what it leaves out from the benchmark.

    Raises:
        BadData: it lacks fields, all of which are named, or one is not what it must be.
    """
    code = _code(row, where) if row.get("language") is not None else None
    problem = text_of(row, "id", where) if "id" in row else None
    known = there.question(row, problem, split, code)
    prompt = row.get("prompt", row.get("question"))
    has = {
        "id": problem is not None or known is not None or isinstance(prompt, str),
        "language": code is not None or known is not None,
        "completion": row.get("completion") is not None,
        "gold": "gold" in row or known is not None,
    }
    missing = [name for name, there_is in has.items() if not there_is]
    if missing:
        raise BadData(_lacking(row, where, split, missing))
    if known is not None and "gold" not in row:
        return known
    texts = {"question": known.question if known and "question" not in row else "", "part": known.part if known else ""}
    for name in texts:
        if name in row:
            if not isinstance(row[name], str):
                raise BadData(f"{where}, field {name!r}: must be a string or left out; got {short(row[name])}.")
            texts[name] = encodable(row[name], name, where)
    kind = row.get("kind") or (known.kind if known else "expression")
    if kind not in KINDS:
        raise BadData(f"{where}, field 'kind': must be one of {', '.join(KINDS)}; got {short(kind)}.")
    if problem is None or row.get("position"):
        problem = known.problem if known else problem or text_id(str(prompt))
    language = code or (known.language if known else "")
    return Question(problem, language, texts["question"], gold_of(row, "gold", where), kind=kind, part=texts["part"])


def _lacking(row: Row, where: str, split: str, missing: Sequence[str]) -> str:
    names = ", ".join(map(repr, missing))
    gold = ""
    if "gold" in missing:
        of_it = f"problem {str(row['id'])!r:.60}" if "id" in row else "such question"
        gold = f", and the benchmark has no {of_it} in {row.get('language') or 'any language'} in its split {split}"
    give = "; ".join(f"{name}: {_GIVE[name]}" for name in missing)
    return (
        f"{where}, field{'s' * (len(missing) > 1)} {names}: missing{gold}. The row has {', '.join(row['fields']) or 'none'}, and "
        f"is read as {row['format']} (benchmark.format). Give {give}"
    )


def _code(row: Row, where: str) -> str:
    tag = row["language"]
    try:
        return code_of(tag if isinstance(tag, str) else short(tag))
    except UnknownLanguage as error:
        raise BadData(f"{where}, field 'language': {error}") from None


def _truncated(row: Row, where: str) -> bool | None:
    value = row.get("truncated")
    if value is None or isinstance(value, bool):
        return value
    if (isinstance(value, int | float) and value in (0, 1)) or (
        isinstance(value, str) and value.strip().lower() in _YES
    ):
        return _YES[str(value).strip().lower().removesuffix(".0")]
    raise BadData(f"{where}, field 'truncated': must be true, false or left out; got {short(value)}.")


def _whole(value: Any, name: str, where: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= LONGEST:  # of a table
        value = int(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if (
        not number
        or (isinstance(value, float) and not isfinite(value))
        or not 0 <= value <= _LARGEST
        or value != int(value)
    ):
        raise BadData(f"{where}, field {name!r}: must be a whole number, 0 or more, of 63 bits; got {short(value)}.")
    return int(value)

"""What every benchmark is: questions with gold answers, by split and language, from a pinned source or local files.

A benchmark is one module here with one frozen dataclass, and one yaml in `conf/benchmark/`. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.data.fetch import fetch
from src.data.formats import FORMATS, Layout
from src.data.readers import BadData, text_of
from src.data.records import Question
from src.language.table import PUBLISHED_OTHERS, UnknownLanguage, code_of

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec

FIELDS = (
    "id",
    "problem",
    "language",
    "completion",
    "gold",
    "sample",
    "split",
    "question",
    "kind",
    "part",
    "tokens",
    "truncated",
)
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Benchmark:
    """`source` is `github:owner/name` or `hub:owner/name` (a data set of the Hugging Face hub) at `revision`, a full
    commit hash, with the files in `folder` (empty: the top); `path` a local folder with the same files, which goes
    before it. `completions` is a file of saved completions, or a folder of such files, to score instead of running a model;
    `format` names the tool that wrote it (`src.data.formats`; `auto`: by its fields), `language` the language of rows that
    name none, and `fields` maps a field of ours (`id`, `language`, `completion`, `gold`, ...) to where it stands in a row.
    `weights` maps a part (source, difficulty level) to its weight in averages; empty: every problem counts the same.
    """

    source: str | None = None
    revision: str | None = None
    folder: str = ""
    path: str | None = None
    completions: str | None = None
    format: str = "auto"
    language: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    tokenizer: str | None = None
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """How `completions` is read."""
        return Layout(
            self.format,
            code_of(self.language) if self.language else None,
            {"id" if ours == "problem" else ours: place for ours, place in self.fields.items()},
        )

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        """The questions of `split` in `languages`, language after language.

        `world` and `problems` (how many a language; None: all) are for a benchmark that makes its problems; of others,
        `src.data.sources` takes the first.
        """
        raise NotImplementedError

    def splits(self) -> tuple[str, ...]:
        """The splits there are."""
        return ("test",)

    def languages(self) -> tuple[str, ...]:
        """The languages there are."""
        raise NotImplementedError

    def published_languages(self) -> tuple[str, ...]:
        """The languages that the evaluation published with AdaMame tells apart on this benchmark."""
        return PUBLISHED_OTHERS

    def file(self, name: str) -> Path:
        """The local file `name` of this benchmark, fetched once if it is not under `path`.

        Raises:
            BadData: it is not there, or there is neither a path nor a pinned source.
        """
        if self.path is not None:
            path = Path(self.path) / name
            if not path.is_file():
                raise BadData(f"{path}: no such file. benchmark.path must be the folder that holds {name}")
            return path
        if self.source is None or self.revision is None:
            raise BadData(
                f"benchmark.path must be a local folder that holds {name}, or benchmark.source and benchmark.revision "
                f"a repository and a full commit hash of it; got source={self.source}, revision={self.revision}"
            )
        return fetch(self.source, self.revision, f"{self.folder}/{name}" if self.folder else name)

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.path is not None and not Path(self.path).is_dir():
            violations.append(f"benchmark.path must be a folder; {self.path} is none")
        if self.completions is not None and not Path(self.completions).exists():
            violations.append(f"benchmark.completions must be a file, or a folder of files; {self.completions} is none")
        if self.format not in ("auto", *FORMATS):
            violations.append(f"benchmark.format must be one of auto, {', '.join(FORMATS)}; got {self.format!r}")
        if self.language is not None:
            try:
                code_of(self.language)
            except UnknownLanguage as error:
                violations.append(f"benchmark.language: {error}")
        if unknown := sorted(set(self.fields) - set(FIELDS)):
            violations.append(
                f"benchmark.fields must be among {', '.join(FIELDS)}; got {', '.join(unknown)}. Each is mapped to the field "
                "of the file that holds it"
            )
        if self.source is not None and self.source.split(":")[0] not in ("github", "hub"):
            violations.append(
                f"benchmark.source must be github:<owner>/<name> or hub:<owner>/<name>; got {self.source!r}"
            )
        if self.revision is not None and not COMMIT.fullmatch(self.revision):
            violations.append(
                f"benchmark.revision must be a full commit hash, so that the data cannot change; got {self.revision!r}"
            )
        if any(weight <= 0 for weight in self.weights.values()):
            violations.append(f"benchmark.weights must be above 0; got {dict(self.weights)}")
        return violations

    def identity(self) -> dict[str, Any]:
        """What the result of an evaluation depends on."""
        return {"is": self.fingerprint(), "weights": dict(self.weights)}

    def fingerprint(self) -> str:
        """What the questions depend on, as a short text: where they come from, and of local files the content."""
        parts = [type(self).__name__]
        if self.completions is not None:
            parts.append(f"completions {content_hash(Path(self.completions))}")
            if self.layout != Layout():
                parts.append(f"as {self.format} {self.layout.language} {sorted(self.fields.items())}")
        if self.path is not None:
            parts.append(f"files {content_hash(Path(self.path))}")
        elif self.source is not None:
            parts.append(f"{self.source}@{self.revision}{'/' * bool(self.folder)}{self.folder}")
        return " ".join(parts)


def content_hash(path: Path) -> str:
    """A short hash of a file, or of all files of a folder with their names."""
    sums = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            sums.update(file.relative_to(path).as_posix().encode() + b"\0" + file.read_bytes())
    return sums.hexdigest()[:16]


def each_once(rows: Iterable[tuple[str, Question]]) -> list[Question]:
    """The questions of (where, question) rows.

    Raises:
        BadData: a problem stands twice in a language; names both rows.
    """
    places: dict[tuple[str, str], str] = {}
    questions: list[Question] = []
    for where, question in rows:
        first = places.setdefault((question.problem, question.language), where)
        if len(places) == len(questions):
            raise BadData(
                f"{where}: a problem must be there once in a language; {question.problem!r:.80} in {question.language} is "
                f"there already: {first}."
            )
        questions.append(question)
    return questions


def choice(problem: str, language: str, question: str, options: Sequence[str], right: int, part: str = "") -> Question:
    """A multiple-choice question: the text, a blank line, `A. ...`, `B. ...`; gold is the letter of `right`."""
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(string.ascii_uppercase, options, strict=False))
    gold = string.ascii_uppercase[right]
    return Question(problem, language, f"{question}\n\n{listed}", gold, kind="choice", part=part)


def option_of(row: dict[str, Any], name: str, where: str, options: Sequence[str]) -> int:
    """The index of the option whose letter stands in the field `name`.

    Raises:
        BadData: it is no letter of an option.
    """
    letter = text_of(row, name, where).upper()
    letters = string.ascii_uppercase[: len(options)]
    if len(letter) != 1 or letter not in letters:
        raise BadData(f"{where}, field {name!r}: must be one of {', '.join(letters)}; got {letter!r:.80}.")
    return letters.index(letter)


def shuffled(options: Sequence[str], problem: str) -> tuple[list[str], int]:
    """The options in an order that a hash of the problem decides, so that it is the same in every language and run,
    and the index of what was the first of them."""
    order = sorted(range(len(options)), key=lambda index: hashlib.sha256(f"{problem} {index}".encode()).digest())
    return [options[index] for index in order], order.index(0)

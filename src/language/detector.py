"""Which language a text is in: the one service that reward, log and evaluation all ask.

Mathematics is removed first. The writing system decides where it can; the evidence of lingua for each word decides
among languages that share one. A text is judged sentence by sentence, all of it, and goes to the language that holds
most of its letters; too few letters, or no majority, is None: unknown, which is nobody's language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from src.language.evidence import Evidence
from src.language.mathematics import blank_displays, strip_mathematics
from src.language.scripts import DENSE, SCRIPTS, count_letters
from src.language.table import CORE, language

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])")
_LATIN_RUN = re.compile(r"(?<![^\W\d_])[A-Za-zÀ-ɏ'’-]{1,30}(?:[ ,;:]{1,3}[A-Za-zÀ-ɏ'’-]{1,30}){3,200}")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_HAN_ALONE = 8  # letters: fewer Han letters without kana may be Chinese or Japanese
_DENSE_WEIGHT = 2.5  # Latin letters that say as much as one letter of a dense script
_REMEMBERED = 1_000  # characters: longer lines hardly recur, and remembering them would cost memory
_PIECE = 2_000  # characters: a longer sentence is judged in pieces, as lingua is slow on words without end


@dataclass(frozen=True)
class DetectorSpec:
    """`languages` are those it distinguishes. A text needs `minimum_letters` letters (`minimum_dense` in scripts of
    syllables or words) to be identified at all, and a sentence `minimum_line` (`minimum_dense_line`). Among languages
    of one script the words of a sentence must speak for one of them by `minimum_margin` nats more than for any other,
    each word by at most `maximum_word`; else it stays unknown. `docs/language-detection.md` measures these."""

    languages: list[str] = field(default_factory=lambda: list(CORE))
    minimum_letters: int = 20
    minimum_dense: int = 8
    minimum_line: int = 8
    minimum_dense_line: int = 3
    minimum_margin: float = 8.0
    maximum_word: float = 20.0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if not self.languages:
            violations.append("detector.languages must name at least one language; got an empty list")
        for name in ("minimum_letters", "minimum_dense", "minimum_line", "minimum_dense_line"):
            if getattr(self, name) < 1:
                violations.append(f"detector.{name} must be at least 1; got {getattr(self, name)}")
        for name, least in (("minimum_margin", 0.0), ("maximum_word", 1.0)):
            if getattr(self, name) < least:
                violations.append(f"detector.{name} must be at least {least:g} nats; got {getattr(self, name)}")
        return violations


class Line(NamedTuple):
    """A sentence of a trace, mathematics aside: its language (None: unknown), how many letters it has, how many of
    each script, at which character it starts, and the language it leans to, known or not.

    Sentences too short to be identified are joined with those that follow on the same line.
    """

    language: str | None
    letters: int
    scripts: tuple[tuple[str, int], ...] = ()
    start: int = 0
    leaning: str | None = None


class Detector:
    """Identifies languages by `DetectorSpec`; safe on any text, and quick on text it has seen."""

    def __init__(self, spec: DetectorSpec) -> None:
        self.spec = spec
        self._candidates: dict[str, tuple[str, ...]] = {}  # script -> the languages that share it
        for code in sorted(spec.languages):
            script = language(code).script
            self._candidates[script] = (*self._candidates.get(script, ()), code)
        self._needed = {
            script: spec.minimum_dense_line if script in DENSE else spec.minimum_line
            for script in (*SCRIPTS, "japanese")
        }
        if "japanese" in self._candidates:
            self._needed["han"] = max(spec.minimum_dense_line, _HAN_ALONE)
        self._line = lru_cache(maxsize=65_536)(self._sentences)

    def lines(self, text: str) -> list[Line]:
        """Every sentence of `text` that has letters outside mathematics."""
        lines: list[Line] = []
        start = 0
        for line in blank_displays(text).splitlines(keepends=True):
            bare = line.rstrip()
            if bare:
                sentences = self._line(bare) if len(bare) <= _REMEMBERED else self._sentences(bare)
                lines += [Line(s.language, s.letters, s.scripts, s.start + start, s.leaning) for s in sentences]
            start += len(line)
        return lines

    def detect(self, text: str) -> str | None:
        """The language of `text`, or None."""
        return self.language_of(self.lines(text))

    def language_of(self, lines: list[Line]) -> str | None:
        """The language that holds more than half of the letters, when there are letters enough.

        Of the sentences that are too close to call, those count for it that lean to it.
        """
        letters: Counter[str] = Counter()
        for line in lines:
            if line.language is not None:
                letters[line.language] += line.letters
        if not letters:
            return None
        code, count = letters.most_common(1)[0]
        needed = self.spec.minimum_dense if language(code).script in DENSE else self.spec.minimum_letters
        leaning = sum(line.letters for line in lines if line.language is None and line.leaning == code)
        total = sum(line.letters for line in lines)
        return code if count >= needed and 2 * (count + leaning) > total else None

    def _sentences(self, line: str) -> tuple[Line, ...]:
        sentences: list[Line] = []
        pending = ""  # too short to be identified, and waiting for what follows
        first = 0
        for start, piece in _pieces(line):
            for text in _apart(_without_mathematics(piece)):
                counts = count_letters(text)
                if not counts:
                    continue
                if not pending:
                    first = start + max(0, piece.find(text.strip()))
                else:
                    text = f"{pending} {text}"
                    counts = count_letters(text)
                if self._enough(counts):
                    sentences.append(self._identify(text, counts, first))
                    pending = ""
                else:
                    pending = text
        if pending:  # nothing follows
            sentences.append(self._identify(pending, count_letters(pending), first)._replace(language=None))
        return tuple(sentences)

    def _enough(self, counts: dict[str, int]) -> bool:
        return any(count >= self._needed[script] for script, count in counts.items())

    def _identify(self, text: str, counts: dict[str, int], start: int) -> Line:
        scripts = tuple(counts.items())
        total = sum(counts.values())
        script = scripts[0][0]
        share = True
        if len(scripts) > 1:
            weights = {name: count * (_DENSE_WEIGHT if name in DENSE else 1) for name, count in scripts}
            script = max(weights, key=lambda name: weights[name])
            share = 2 * weights[script] > sum(weights.values())
        candidates = self._candidates.get(script, ())
        if not share or not candidates:
            return Line(None, total, scripts, start)
        leaning: str | None = candidates[0]
        margin = self.spec.minimum_margin
        if len(candidates) > 1:
            leaning, margin = evidence_for(candidates, self.spec.maximum_word).best(text)
        known = counts[script] >= self._needed[script] and margin >= self.spec.minimum_margin
        return Line(leaning if known else None, total, scripts, start, leaning)


def _pieces(line: str) -> Iterator[tuple[int, str]]:
    """(where it starts, sentence) of a line, in pieces of at most `_PIECE` characters."""
    begin = 0
    for stop, following in [*(match.span() for match in _SENTENCE_END.finditer(line)), (len(line), len(line))]:
        for start in range(begin, stop, _PIECE):
            yield start, line[start : min(stop, start + _PIECE)]
        begin = following


def _without_mathematics(text: str) -> str:
    text = strip_mathematics(text)
    return _COMMAND.sub(" ", text) if "\\" in text else text


def _apart(text: str) -> list[str]:
    """`text`, in which several words in Latin letters among another script stand apart: Thai has no full stop."""
    if text.isascii() or not _LATIN_RUN.search(text) or set(count_letters(text)) <= {"latin"}:
        return [text]
    edges = [0, *(edge for run in _LATIN_RUN.finditer(text) for edge in run.span()), len(text)]
    return [text[start:stop] for start, stop in pairwise(edges) if start < stop]


@lru_cache(maxsize=8)
def evidence_for(codes: tuple[str, ...], per_word: float) -> Evidence:
    """One for each set of languages, shared by the process (lingua's models take a second to load)."""
    return Evidence(codes, per_word)

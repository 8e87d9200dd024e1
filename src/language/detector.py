"""Which language a text is in: the one service that reward, log and evaluation all ask.

What is no prose is removed first. The writing system decides where it can; the evidence of lingua for each word decides
among languages that share one, and the text is `other` where its words speak for a language outside the set. A text is
judged sentence by sentence, all of it, and goes to the language that holds most of its letters; too few letters, or no
majority, is None: unknown, which is nobody's language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from src.language.common_words import COMMON
from src.language.evidence import Evidence
from src.language.neighbours import neighbours_of, strange_letters
from src.language.prose import prose, without_asides
from src.language.scripts import DENSE, SCRIPTS, chinese_or_japanese, count_letters
from src.language.spec import DetectorSpec
from src.language.table import OTHER, language

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])")
_LATIN_RUN = re.compile(
    r"(?<![^\W\d_])[A-Za-zÀ-ɏ'’-]{1,30}(?:[ ,;:]{1,3}\d{1,9})?(?:[ ,;:]{1,3}[A-Za-zÀ-ɏ'’-]{2,30}(?:[ ,;:]{1,3}\d{1,9})?){2,200}[ .!?]{0,3}"
)
_HAN_ALONE = 8  # letters: fewer Han letters without kana may be Chinese or Japanese
_HAN_MARKED = 4  # as many, of which some only Chinese or only Japanese has
_DENSE_WEIGHT = 2.5  # Latin letters that say as much as one letter of a dense script
_REMEMBERED = 1_000  # characters: longer lines hardly recur, and remembering them would cost memory
_JOINED = 400  # characters: as much is joined of sentences that say too little each
_CLEAR = 2  # marks of Chinese or Japanese by which a sentence in Han letters alone is the one or the other
_WORDS = re.compile(r"[^\W\d_]{2,}")
_MANY_WORDS = 6  # different ones
_FEW_WORDS = 4
_CAREFUL = 4.0  # nats more than the margin, where a sentence has no common word
_PIECE = 2_000  # characters: a longer sentence is judged in pieces, as lingua is slow on words without end


class Line(NamedTuple):
    """A sentence of a trace, mathematics aside: its language (None: unknown), how many letters it has, how many of
    each script, at which character it starts, the language it leans to, known or not, and its text.

    Sentences too short to be identified are joined with those that follow, on the same line or the next.
    """

    language: str | None
    letters: int
    scripts: tuple[tuple[str, int], ...] = ()
    start: int = 0
    leaning: str | None = None
    text: str = ""


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
            for script in (*SCRIPTS, "japanese", "other")
        }
        if "japanese" in self._candidates:
            self._needed["han"] = max(spec.minimum_dense_line, _HAN_ALONE)
        self._identified = lru_cache(maxsize=65_536)(self._identify)

    def lines(self, text: str) -> list[Line]:
        """Every sentence of `text` that has letters outside mathematics, code and the like."""
        lines: list[Line] = []
        pending = ""  # too short to be identified, and waiting for what follows
        first = 0
        for start, piece, counts in _sentences(prose(text)):
            if pending:
                piece = f"{pending} {piece}"
                counts = count_letters(piece)
            else:
                first = start
            if self._enough(piece, counts):
                lines.append(self._judge(piece)._replace(start=first))
                pending = ""
            else:
                pending = piece
        if pending:  # nothing follows
            lines.append(self._judge(pending)._replace(start=first, language=None))
        return self._without_lists(self._in_set(self._in_context(self._joined(lines))))

    def detect(self, text: str) -> str | None:
        """The language of `text`: a code, `other` for a language outside the set, or None where it is unknown."""
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
        script = "" if code == OTHER else language(code).script
        needed = self.spec.minimum_dense if script in DENSE else self.spec.minimum_letters
        leaning = sum(line.letters for line in lines if line.language is None and line.leaning == code)
        total = sum(line.letters for line in lines)
        return code if count >= needed and 2 * (count + leaning) > total else None

    def _enough(self, text: str, counts: dict[str, int]) -> bool:
        return any(count >= self._needed[script] for script, count in counts.items()) or (
            counts.get("han", 0) >= _HAN_MARKED and abs(chinese_or_japanese(text)) >= _CLEAR
        )

    def _joined(self, lines: list[Line]) -> list[Line]:
        """Neighbours that are unknown alone are judged together."""
        joined: list[Line] = []
        waiting: list[Line] = []
        for line in [*lines, None]:
            if line is not None and line.language is None:
                waiting.append(line)
                if sum(len(each.text) for each in waiting) < _JOINED:
                    continue
            if len(waiting) > 1:
                both = self._judge(" ".join(each.text for each in waiting))._replace(start=waiting[0].start)
                waiting = [both] if both.language is not None else waiting
            joined += waiting
            waiting = []
            if line is not None and line.language is not None:
                joined.append(line)
        return joined

    def _in_context(self, lines: list[Line]) -> list[Line]:
        """Sentences in Han letters that may be Chinese or Japanese are what the others are, or all their signs say."""
        open_ = [line for line in lines if line.leaning == "han"]
        if not open_:
            return lines
        chinese = sum(line.letters for line in lines if line.language == "zh")
        japanese = sum(line.letters for line in lines if line.language == "ja")
        if chinese == japanese:
            japanese += chinese_or_japanese("".join(line.text for line in open_)) < 0
        code = "ja" if japanese > chinese else "zh"
        if code not in self.spec.languages:
            code = "ja" if code == "zh" else "zh"
        return [
            line
            if line.leaning != "han"
            else line._replace(language=code if line.letters >= self._needed["han"] else None, leaning=code)
            for line in lines
        ]

    def _judge(self, text: str) -> Line:
        return self._identified(text) if len(text) <= _REMEMBERED else self._identify(text)

    def _identify(self, text: str) -> Line:
        counts = count_letters(text)
        scripts = tuple(counts.items())
        total = sum(counts.values())
        script = scripts[0][0]
        share = True
        if len(scripts) > 1:
            weights = {name: count * (_DENSE_WEIGHT if name in DENSE else 1) for name, count in scripts}
            script = max(weights, key=lambda name: weights[name])
            share = 2 * weights[script] > sum(weights.values())
        line = Line(None, total, scripts, 0, None, text)
        enough = self._enough(text, {script: counts[script]})
        if not share:
            return line
        if script == "han":
            return self._of_han(line, enough)
        candidates = self._candidates.get(script, ())
        if not candidates:
            return line._replace(language=OTHER if enough and script != "japanese" else None)
        leaning: str | None = candidates[0]
        margin = self.spec.minimum_margin
        if len(candidates) > 1:
            leaning, margin = evidence_for(candidates, self.spec.maximum_word).best(text)
        line = line._replace(leaning=leaning)
        if leaning is None or not enough:
            return line
        if self._elsewhere(text, leaning, alone=True):
            return line._replace(language=OTHER, leaning=OTHER)
        return line._replace(language=leaning) if margin >= self.spec.minimum_margin else line

    def _of_han(self, line: Line, enough: bool) -> Line:
        """Chinese, Japanese without kana, or, with `leaning` "han", one of them."""
        known = [code for code in ("zh", "ja") if code in self.spec.languages]
        if not known:
            return line._replace(language=OTHER if enough else None)
        signs = chinese_or_japanese(line.text)
        if "ja" in known and signs < _CLEAR:
            if signs <= -_CLEAR and enough:
                return line._replace(language="ja", leaning="ja")
            return line._replace(leaning="han")
        code = "zh" if "zh" in known else OTHER
        return line._replace(language=code if enough else None, leaning=code)

    def _in_set(self, lines: list[Line]) -> list[Line]:
        """The sentences in the main language are `other` if together they are in no language of the set, though each
        alone may have seemed to be."""
        code = _main(lines)
        if code in (None, OTHER):
            return lines
        text = " ".join(line.text for line in lines if code in (line.language, line.leaning))
        if not self._elsewhere(text, str(code), alone=False):
            return lines
        return [
            line._replace(language=line.language and OTHER, leaning=OTHER)
            if code in (line.language, line.leaning)
            else line
            for line in lines
        ]

    def _without_lists(self, lines: list[Line]) -> list[Line]:
        """Sentences in Latin letters in another language than the main one are unknown if they may be names or terms."""
        main = _main(lines)
        return [
            line._replace(language=None, leaning=None)
            if line.language not in (None, main)
            and max(line.scripts, key=lambda script: script[1])[0] == "latin"
            and not self._sentence(line, str(main))
            else line
            for line in lines
        ]

    def _sentence(self, line: Line, main: str) -> bool:
        """Whether a line has one of the words that every sentence has, or many, or other words than names say enough."""
        words = _WORDS.findall(line.text)
        different = {word.lower() for word in words}
        own = COMMON.get(str(line.language), frozenset()) - COMMON.get(main, frozenset())
        if len(different) >= _MANY_WORDS or not different.isdisjoint(own):
            return True
        candidates = self._candidates.get("latin", ())
        few = main == OTHER or language(main).script != "latin"  # of a list in another script, which stands apart
        if line.language == OTHER or len(candidates) < 2 or (few and len(different) < _FEW_WORDS):
            return False
        no_names = " ".join(word for word in words if word.islower())
        code, lead = evidence_for(candidates, self.spec.maximum_word).best(no_names)
        return code == line.language and lead >= self.spec.minimum_margin + _CAREFUL

    def _elsewhere(self, text: str, code: str, alone: bool) -> bool:
        """Whether `text`, in the script of `code`, is in a language outside the set."""
        if strange_letters(text, code):
            return True
        script = language(code).script
        neighbours = neighbours_of(script, self._candidates[script])
        return neighbours is not None and neighbours.elsewhere(text, code, alone)


def _main(lines: list[Line]) -> str | None:
    """The known language with the most letters."""
    letters: Counter[str] = Counter()
    for line in lines:
        if line.language is not None:
            letters[line.language] += line.letters
    return letters.most_common(1)[0][0] if letters else None


def _sentences(text: str) -> Iterator[tuple[int, str, dict[str, int]]]:
    """(where it starts, sentence, its letters) of a text, but for what has no letters."""
    begin = 0
    for line in text.splitlines(keepends=True):
        if not line.isspace():
            cut = _of_line(line) if len(line) <= _REMEMBERED else _cut(line)
            for start, piece, counts in cut:
                yield begin + start, piece, counts
        begin += len(line)


def _cut(line: str) -> list[tuple[int, str, dict[str, int]]]:
    """The sentences of a line; words in Latin letters among another script stand apart."""
    sentences = []
    for start, piece in _pieces(line.rstrip()):
        for part, counts in _apart(piece if piece.isascii() else without_asides(piece)):
            if counts:
                sentences.append((start + len(part) - len(part.lstrip()), part.strip(), counts))
            start += len(part)
    return sentences


_of_line = lru_cache(maxsize=16_384)(_cut)


def _pieces(line: str) -> Iterator[tuple[int, str]]:
    """(where it starts, sentence) of a line, in pieces of at most `_PIECE` characters."""
    begin = 0
    for stop, following in [*(match.span() for match in _SENTENCE_END.finditer(line)), (len(line), len(line))]:
        for start in range(begin, stop, _PIECE):
            yield start, line[start : min(stop, start + _PIECE)]
        begin = following


def _apart(text: str) -> list[tuple[str, dict[str, int]]]:
    """`text` and its letters; several words in Latin letters among another script stand apart: Thai has no full stop."""
    counts = count_letters(text)
    if "latin" not in counts or counts.keys() <= {"latin", "other"} or not _LATIN_RUN.search(text):
        return [(text, counts)]
    edges = [0, *(edge for run in _LATIN_RUN.finditer(text) for edge in run.span()), len(text)]
    parts = [text[start:stop] for start, stop in pairwise(edges) if start < stop]
    return [(part, count_letters(part)) for part in parts]


@lru_cache(maxsize=8)
def evidence_for(codes: tuple[str, ...], per_word: float) -> Evidence:
    """One for each set of languages, shared by the process (lingua's models take a second to load)."""
    return Evidence(codes, per_word)

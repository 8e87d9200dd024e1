"""How the letters and sentences of a completion are shared among languages: graded evidence beside the verdicts of
`Fidelity`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src.language.trace import split_trace

if TYPE_CHECKING:
    from src.language.detector import Detector, Line


@dataclass(frozen=True)
class Shares:
    """Of one text: letters in sentences of each language, and in sentences that are too close to call but lean to one;
    all its letters, mathematics aside; sentences of each language.

    >>> text = Shares({"fr": 60, "en": 20}, {"fr": 10}, letters=100, sentences={"fr": 3, "en": 1})
    >>> text.of_letters("fr"), text.of_sentences("fr"), round(text.probability("fr"), 3)
    (0.6, 0.75, 0.778)
    """

    known: Mapping[str, int] = field(default_factory=dict)
    leaning: Mapping[str, int] = field(default_factory=dict)
    letters: int = 0
    sentences: Mapping[str, int] = field(default_factory=dict)

    def of_letters(self, code: str) -> float:
        """Share of the text's letters that are in sentences of the language; 0 of a text without letters."""
        return self.known.get(code, 0) / self.letters if self.letters else 0.0

    def of_sentences(self, code: str) -> float:
        """Share of the sentences with a known language that are in this one; 0 where none is known."""
        total = sum(self.sentences.values())
        return self.sentences.get(code, 0) / total if total else 0.0

    def probability(self, code: str) -> float:
        """Probability that a letter is in the language, of the letters whose sentence speaks for one: it is of that
        language, or leans to it. 0 where no sentence is of a known language.

        It is not the posterior of the text as a whole, which would be near 1 for whatever language leads.
        """
        total = sum(self.known.values()) + sum(self.leaning.values())
        return (self.known.get(code, 0) + self.leaning.get(code, 0)) / total if any(self.known.values()) else 0.0

    def __add__(self, other: Shares) -> Shares:
        """Those of both texts together."""
        return Shares(
            _sum(self.known, other.known),
            _sum(self.leaning, other.leaning),
            self.letters + other.letters,
            _sum(self.sentences, other.sentences),
        )


@dataclass(frozen=True)
class Languages:
    """The shares of a trace and of the answer after it. Of a model that does not mark its thinking both are the
    completion."""

    trace: Shares
    answer: Shares
    completion: Shares


def measure_languages(completion: str, detector: Detector, thinks: bool = True) -> Languages:
    """The shares of a completion's parts; safe on any text."""
    split = split_trace(completion, thinks)
    trace = shares_of(detector.lines(split.think))
    if not thinks:
        return Languages(trace, trace, trace)
    answer = shares_of(detector.lines(split.answer))
    return Languages(trace, answer, trace + answer)


def shares_of(lines: list[Line]) -> Shares:
    """The shares of a text from its sentences."""
    known: Counter[str] = Counter()
    leaning: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    for line in lines:
        if line.language is not None:
            known[line.language] += line.letters
            sentences[line.language] += 1
        elif line.leaning is not None:
            leaning[line.leaning] += line.letters
    return Shares(dict(known), dict(leaning), sum(line.letters for line in lines), dict(sentences))


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))

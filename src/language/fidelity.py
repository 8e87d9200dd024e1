"""Is a completion in the language of its query? Corrected definitions: a trace that never closes earns nothing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from src.language.detector import Detector, Line
from src.language.table import language
from src.language.trace import split_trace
from src.language.words import word_pass


@dataclass(frozen=True)
class Switch:
    """At character `position` of the trace begins a sentence in `entered`; the one before was in `left`."""

    position: int
    left: str
    entered: str


@dataclass(frozen=True)
class Fidelity:
    """What the language of one completion is, and how purely. Only sentences whose language is known count."""

    detected: str | None  # language of the trace; `other`: none of the detector's; None: unknown
    in_language: bool  # closed, and detected as the query's
    line_pass: bool  # closed, and every sentence is in the query's language, at least one being known
    word_pass: bool  # closed, and no word in the wrong script (see `src.language.words`)
    closed: bool  # `</think>` came
    sentences: int  # how many sentences have a language
    switches: tuple[Switch, ...]  # where the language changes from one sentence to the next
    foreign_script: float  # share of the trace's letters that are in another script than the query's
    answer_detected: str | None  # language of the text after `</think>`, None: unknown, or only a formula

    @property
    def code_switched(self) -> bool:
        """Whether sentences are in two or more languages."""
        return bool(self.switches)


def measure_fidelity(completion: str, query_language: str, detector: Detector, thinks: bool = True) -> Fidelity:
    """The `Fidelity` of a completion to the language of its query.

    Unlike the published metric, an empty or unclosed trace passes nothing; its language is still given.
    """
    split = split_trace(completion, thinks)
    lines = detector.lines(split.think)
    detected = detector.language_of(lines)
    known = [line for line in lines if line.language is not None]
    return Fidelity(
        detected=detected,
        in_language=split.closed and detected == query_language,
        line_pass=split.closed and {line.language for line in known} == {query_language},
        word_pass=split.closed and bool(lines) and word_pass(split.think, query_language),
        closed=split.closed,
        sentences=len(known),
        switches=_switches(known),
        foreign_script=_foreign(lines, language(query_language).script),
        answer_detected=detected if not thinks else detector.detect(split.answer),
    )


def _switches(known: list[Line]) -> tuple[Switch, ...]:
    return tuple(
        Switch(after.start, str(before.language), str(after.language))
        for before, after in itertools.pairwise(known)
        if before.language != after.language
    )


def _foreign(lines: list[Line], script: str) -> float:
    """Han letters are no foreigners in Japanese, whose sentences may hold no kana."""
    own = ("japanese", "han") if script == "japanese" else (script,)
    total = sum(line.letters for line in lines)
    return sum(count for line in lines for name, count in line.scripts if name not in own) / total if total else 0.0

"""Is a trace in the language of its query? Corrected definitions: a trace that never closes earns nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from src.language.detector import Detector
from src.language.mathematics import strip_mathematics
from src.language.table import language
from src.language.trace import split_trace

_TWO_LATIN = re.compile(r"[A-Za-z]{2}")
_NOT_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")


@dataclass(frozen=True)
class Fidelity:
    """What the language of one completion's trace is, and how purely."""

    detected: str | None  # language of the trace, None: unknown
    in_language: bool  # closed, and detected as the query's
    line_pass: bool  # closed, and every line the detector knows is the query's, at least one being known
    word_pass: bool  # no word in the wrong script (see `word_pass`)
    code_switched: bool  # lines in two or more languages
    closed: bool  # `</think>` came


def judge(completion: str, query_language: str, detector: Detector) -> Fidelity:
    """Judge the trace of a completion against the language of its query.

    Unlike the published metric, an empty or unclosed trace passes nothing; its language is still told.
    """
    split = split_trace(completion)
    lines = detector.lines(split.think)
    detected = detector.language_of(lines)
    known = {line.language for line in lines if line.language is not None}
    return Fidelity(
        detected=detected,
        in_language=split.closed and detected == query_language,
        line_pass=split.closed and known == {query_language},
        word_pass=split.closed and bool(lines) and word_pass(split.think, query_language),
        code_switched=len(known) > 1,
        closed=split.closed,
    )


def word_pass(text: str, query_language: str) -> bool:
    """Whether no word is in the wrong script, mathematics aside (WPR of the published evaluation).

    A language of another script fails on two adjacent Latin letters, a Latin-script one on any letter outside
    U+0000-024F and U+1E00-1EFF.
    """
    pattern = _NOT_LATIN if language(query_language).latin else _TWO_LATIN
    return pattern.search(strip_mathematics(text)) is None


def lcpr(line_rate: float, word_rate: float) -> float:
    """Language consistency pass rate: the harmonic mean of line and word pass rates; 0 when both are 0."""
    return 0.0 if line_rate + word_rate == 0 else 2 * line_rate * word_rate / (line_rate + word_rate)

"""Fidelity of a trace as the evaluation published with AdaMame computes it, for comparison with published numbers.

Nothing here judges this project's own rollouts: `src.language.fidelity` does. What differs: `detected` asks lingua
about the raw trace, formulas included; one sentence in the wrong language is seen only if it rules its line; an empty
trace passes everything and counts as not switched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from src.language.detector import evidence_for
from src.language.mathematics import strip_mathematics, strip_trace
from src.language.multiple import Multiple
from src.language.scripts import only_script
from src.language.table import CORE, LANGUAGES, PUBLISHED_MGSM, language

# Portuguese too: accents make lingua rule languages out, and Portuguese text is where that shows.
_LATIN = tuple(sorted(code for code in CORE if LANGUAGES[code].latin))
_CODES = {row.iso: code for code, row in LANGUAGES.items()}


_LONGEST_TRACE = 100_000  # characters, three times what a completion of the published runs may have
_LONGEST_WORD = 1_000  # letters; sentences without blanks, as in Thai, have some hundreds
_ENDLESS = re.compile(rf"[^\W\d_]{{{_LONGEST_WORD + 1},}}")
_TWO_LATIN = re.compile(r"[A-Za-z]{2}")
_NOT_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")


@dataclass(frozen=True)
class PublishedFidelity:
    """`languages` are those found in the trace by lingua's detection of multiple languages, sorted."""

    detected: str | None
    line_pass: bool
    word_pass: bool
    code_switched: bool
    languages: tuple[str, ...]


def judge_published(trace: str, query_language: str, among: tuple[str, ...] = PUBLISHED_MGSM) -> PublishedFidelity:
    """Judge a trace (`""` where there is no `</think>`) by lingua over the languages `among`.

    Of more than `_LONGEST_TRACE` characters the first are judged, and of a word of over `_LONGEST_WORD` letters the
    first: lingua takes time that grows with the square of a word's length.
    """
    trace = trace[:_LONGEST_TRACE].encode(errors="ignore").decode()  # lone surrogates: lingua takes only valid Unicode
    trace = _ENDLESS.sub(lambda word: word.group()[:_LONGEST_WORD], trace)
    languages = tuple(sorted(_CODES[name] for name in _lingua(among).languages_of(strip_trace(trace))))
    return PublishedFidelity(
        detected=_detect(trace, among),
        line_pass=_line_pass(trace, query_language, among),
        word_pass=_word_pass(trace, query_language),
        code_switched=len(languages) > 1,
        languages=languages,
    )


def _line_pass(trace: str, query_language: str, among: tuple[str, ...]) -> bool:
    lines = (line for line in map(strip_mathematics, trace.split("\n")) if line)
    return all(_of_line(line, among) in (None, query_language) for line in lines)


def _word_pass(trace: str, query_language: str) -> bool:
    """A language of another script fails on two adjacent Latin letters, a Latin-script one on any letter outside
    U+0000-024F and U+1E00-1EFF."""
    pattern = _NOT_LATIN if language(query_language).latin else _TWO_LATIN
    return pattern.search(strip_trace(trace)) is None


@lru_cache(maxsize=65_536)
def _of_line(line: str, among: tuple[str, ...]) -> str | None:
    return _detect(line, among)


def _detect(text: str, among: tuple[str, ...] = PUBLISHED_MGSM) -> str | None:
    """The language lingua names. Among those of MGSM it is not asked about Latin text whose words leave no doubt: of 73,149 such texts
    (questions, fragments, traces, mixtures of up to 15 sentences in 6 languages) it named the same for every one."""
    if among == PUBLISHED_MGSM and only_script(text) == "latin":
        clear = evidence_for(_LATIN, 20.0).undisputed(text, lead=60.0, share=0.1)  # nats
        if clear in among:
            return clear
    name = _lingua(among).language_of(text)
    return None if name is None else _CODES[name]


@lru_cache(maxsize=4)
def _lingua(among: tuple[str, ...] = PUBLISHED_MGSM) -> Multiple:
    """lingua over the languages `among`."""
    from lingua import Language

    return Multiple(getattr(Language, LANGUAGES[code].iso) for code in among)

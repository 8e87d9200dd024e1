"""Fidelity of a trace as the evaluation published with AdaMame computes it, for comparison with published numbers.

Nothing here judges this project's own rollouts: `src.language.fidelity` does. What differs: `detected` asks lingua
about the raw trace, formulas included; one sentence in the wrong language is seen only if it rules its line; an empty
trace passes everything and counts as not switched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from src.language.fidelity import word_pass
from src.language.mathematics import strip_mathematics
from src.language.table import EVALUATED, LANGUAGES


@dataclass(frozen=True)
class PublishedFidelity:
    """`languages` are those found in the trace by lingua's detection of multiple languages, sorted."""

    detected: str | None
    line_pass: bool
    word_pass: bool
    code_switched: bool
    languages: tuple[str, ...]


def judge_published(trace: str, query_language: str) -> PublishedFidelity:
    """Judge a trace (`""` where there is no `</think>`) by lingua over the 12 evaluated languages."""
    lingua = _lingua()
    trace = trace.encode(errors="ignore").decode()  # lone surrogates: lingua takes only valid Unicode
    stripped = strip_mathematics(trace)
    lines = [line for line in map(strip_mathematics, trace.split("\n")) if line]
    found = [_code(lingua.detect_language_of(line)) for line in lines]
    spans = lingua.detect_multiple_languages_of(stripped) if stripped else []
    languages = tuple(sorted({str(_code(span.language)) for span in spans}))
    return PublishedFidelity(
        detected=_code(lingua.detect_language_of(trace)),
        line_pass=all(code in (None, query_language) for code in found),
        word_pass=word_pass(trace, query_language),
        code_switched=len(languages) > 1,
        languages=languages,
    )


def _code(found: Any) -> str | None:
    return None if found is None else str(found.iso_code_639_1.name.lower())


@lru_cache(maxsize=1)
def _lingua() -> Any:
    from lingua import Language, LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_languages(*(getattr(Language, LANGUAGES[c].iso) for c in EVALUATED)).build()

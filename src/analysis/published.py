"""The metrics as published with AdaMame, from the columns `published_*` of the records; shown apart from ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src.analysis.statistics import lcpr
from src.language.table import EVALUATED

# Metric -> what it is, for the page.
PUBLISHED = {
    "Pass@1": "the first sample of a problem is right (box of the answer part, else of the trace)",
    "Pass@k": "any sample is right",
    "consistency": "the raw trace is detected as the query's language",
    "LPR": "every line is detected as the query's language or as nothing; an empty trace passes",
    "WPR": "of traces that pass LPR, no word in the wrong script; mean per problem, then over problems",
    "LCPR": "harmonic mean of LPR and WPR",
    "code-switched": "several languages detected in the trace by lingua's detection of multiple languages",
    "TTC": "characters / 4 / 8192",
}


def published(frame: Any, languages: Sequence[str]) -> dict[str, float] | None:
    """Metric -> mean over `languages` of one seed's records of one split; None where no language has records, or
    completions mark no trace.

    Languages that the published detector does not know are left out: it could only call them another.
    """
    languages = [code for code in languages if code in EVALUATED]
    if frame["published_line_pass"].isna().any():
        return None
    rows = [_of_language(frame[frame["language"] == code]) for code in languages if (frame["language"] == code).any()]
    return {name: sum(row[name] for row in rows) / len(rows) for name in PUBLISHED} if rows else None


def _of_language(frame: Any) -> dict[str, float]:
    by_problem = frame.sort_values("sample").groupby("problem")["published_correct"]
    passing = frame[frame["published_line_pass"]]
    word = float(passing.groupby("problem")["published_word_pass"].mean().mean()) if len(passing) else 0.0
    line = float(frame["published_line_pass"].mean())
    return {
        "Pass@1": float(by_problem.first().mean()),
        "Pass@k": float(by_problem.max().mean()),
        "consistency": float(frame["published_consistent"].mean()),
        "LPR": line,
        "WPR": word,
        "LCPR": float(lcpr(line, word)),
        "code-switched": float(frame["published_code_switched"].mean()),
        "TTC": float(frame["published_ttc"].mean()),
    }

"""The metrics as published with AdaMame, from the columns `published_*` of the records; shown apart from ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src.analysis.statistics import lcpr

# Metric -> what it is, for the page.
PUBLISHED = {
    "Pass@1": "the first sample of a problem is right (the first box of the answer part or that of the trace)",
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

    Languages that the published detection does not know on the benchmark are left out: it could only call them another.
    Where none has a trace it knows, those of `_of_traces` are missing.
    """
    frames = [part for code in languages if len(part := frame[frame["language"] == code])]
    known = [part for part in frames if part["published_line_pass"].notna().all()]
    if not known or not _closed(frame):
        rows = [_of_answers(part) for part in frames]
    else:
        rows = [_of_answers(part) | _of_traces(part) for part in known]
    return {name: sum(row[name] for row in rows) / len(rows) for name in PUBLISHED if name in rows[0]} if rows else None


def _closed(frame: Any) -> bool:
    """Whether any completion has a trace at all: of an empty one the published metrics say that it passes."""
    return "completion" not in frame or bool(frame["completion"].str.contains("</think>", regex=False).any())


def _of_answers(frame: Any) -> dict[str, float]:
    by_problem = frame.sort_values("sample").groupby("problem")["published_correct"]
    return {
        "Pass@1": float(by_problem.first().mean()),
        "Pass@k": float(by_problem.max().mean()),
        "TTC": float(frame["published_ttc"].mean()),
    }


def _of_traces(frame: Any) -> dict[str, float]:
    passing = frame[frame["published_line_pass"].astype(bool)]
    word = float(passing.groupby("problem")["published_word_pass"].mean().mean()) if len(passing) else 0.0
    line = float(frame["published_line_pass"].mean())
    return {
        "consistency": float(frame["published_consistent"].mean()),
        "LPR": line,
        "WPR": word,
        "LCPR": float(lcpr(line, word)),
        "code-switched": float(frame["published_code_switched"].mean()),
    }

"""A completion cut into pieces to be shown: the stretches of its trace by language, its answer, and what stands around them."""

from __future__ import annotations

from collections.abc import Iterator

from src.common.visible import one_line, visible
from src.language.trace import split_trace, without_opening
from src.reporting.rollout_text import spans, switches_of
from src.store.records import Row

# Marks of pieces that are no stretch of a trace; those of stretches are languages, empty where it is unknown.
AROUND = "#around"  # tags, blanks, and what follows the end of the turn
ANSWER = "#answer"
WHOLE = "#whole"  # the completion once more, where its trace is stitched together


def pieces(row: Row, thinks: bool) -> list[tuple[str, str]]:
    """(mark, text) of each piece, in order; the texts are made visible, and nothing of the completion is left out.

    The pieces are the completion, unless tags stand within its trace: then they are trace and answer as they were judged, and
    the completion as a whole follows.
    """
    completion = row.get("completion") or ""
    split = split_trace(completion, thinks)
    stretches = list(_stretches(split.think, row))
    answer = split.answer if thinks else ""
    start = completion.find(split.think, len(completion) - len(without_opening(completion)))
    end = start + len(split.think)
    place = completion.find(answer, end) if start >= 0 else -1
    if place < 0:
        parts = [*stretches, (AROUND, "\n"), (ANSWER, answer), (WHOLE, completion)]
    else:
        after = place + len(answer)
        before, between = completion[:start], completion[end:place]
        parts = [(AROUND, before), *stretches, (AROUND, between), (ANSWER, answer), (AROUND, completion[after:])]
    return [(mark, visible(text)) for mark, text in parts if text]


def _stretches(trace: str, row: Row) -> Iterator[tuple[str, str]]:
    for start, stop, language, _ in spans(len(trace), switches_of(row.get("switches") or ()), row.get("detected")):
        yield one_line(language or ""), trace[start:stop]

"""What selectors make of the records of an evaluation, each from as many samples as the others.

A pool says where the samples of a problem come from: `own`, the language of the query; `pivot`, half of them the pivot's;
`languages`, all languages in turn, the query's first. Of the other languages it is the translations of the problem that were
answered, as the records have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from src.analysis.statistics import Cells, check_weights, parts_of
from src.common.errors import UserError
from src.grading.classes import answer_class
from src.selectors.base import Candidate, Selector

POOLS = ("own", "pivot", "languages")
DOUBT = "doubt"  # of candidates in another language: the share of the own answers outside of their largest class
COLUMNS = ("split", "problem", "language", "sample", "answer", "correct", "right_and_in_language")


@dataclass(frozen=True)
class Given:
    """A candidate, and whether it is right and reasons in the language it was asked in."""

    candidate: Candidate
    in_language: bool


Problems = Mapping[str, Mapping[str, list[Given]]]  # problem -> language -> samples in their order


def read(frame: Any, split: str, score: str) -> Problems:
    """The candidates of one seed's records; `score` is the column with their scores ("" or `doubt`: none).

    Raises:
        UserError: the records have no such column.
    """
    scored = score not in ("", DOUBT)
    needed = [*COLUMNS, *([score] if scored else [])]
    missing = [name for name in needed if name not in frame]
    if missing:
        raise UserError(f"records must have the column {missing[0]!r} for this selector; evaluate the run again")
    frame = frame.loc[frame["split"] == split, needed].sort_values("sample", kind="stable")
    problems: dict[str, dict[str, list[Given]]] = {}
    for row in frame.itertuples(index=False):
        value = getattr(row, score) if scored else 0.0
        candidate = Candidate(
            language=row.language,
            answer=row.answer if isinstance(row.answer, str) else None,
            sample=int(row.sample),
            score=None if value is None or np.isnan(value) else float(value),
            right=bool(row.correct),
        )
        given = Given(candidate, bool(row.right_and_in_language))
        problems.setdefault(row.problem, {}).setdefault(row.language, []).append(given)
    return problems


def pool(given: Mapping[str, list[Given]], own: str, kind: str, count: int, pivot: str = "en") -> list[Given] | None:
    """`count` samples of a problem for the query in `own`, those in it first; None where there are too few."""
    if kind == "own" or (kind == "pivot" and own == pivot):
        order, share = [own], {own: count}
    elif kind == "pivot":
        order, share = [own, pivot], {own: count - count // 2, pivot: count // 2}
    else:
        order = [own, *(code for code in given if code != own)]
        share = {code: count // len(order) + (place < count % len(order)) for place, code in enumerate(order)}
    if any(len(given.get(code, ())) < share[code] for code in order):
        return None
    return [one for code in order for one in given.get(code, [])[: share[code]]]


def doubted(chosen: Sequence[Given]) -> list[Given]:
    """With the doubt about the answers in the language of the first as the score of the others."""
    own = chosen[0].candidate.language
    answers = [one.candidate.answer for one in chosen if one.candidate.language == own]
    classes = [None if answer is None else answer_class(answer, own) for answer in answers]
    largest = max((classes.count(one) for one in classes if one is not None), default=0)
    doubt = 1.0 - largest / len(classes)
    return [
        one if one.candidate.language == own else replace(one, candidate=replace(one.candidate, score=doubt))
        for one in chosen
    ]


def selected(
    frames: Mapping[int, Any],
    split: str,
    selector: Selector | None,
    kind: str,
    count: int,
    pivot: str = "en",
    part_weights: Mapping[str, float] | None = None,
) -> Cells | None:
    """Cells (`correct`, `right_and_in_language`, `answered`) of what a selector chooses from pools of `count` samples; without a
    selector, of one of the samples at random. None where not every problem has so many samples.

    An answer is right by the share of right ones among the candidates that gave it, as `maj_at_k` counts; nothing chosen is
    wrong. Reasoning is in the language of the query where the candidate that stands for the answer was asked in it, and
    answers in it. `frames`: seed -> records; `part_weights`: part -> its weight in averages (`benchmark.weights`).
    """
    seeds = sorted(frames)
    read_in = {seed: read(frames[seed], split, selector.score if selector else "") for seed in seeds}
    first = read_in[seeds[0]]
    names = list(first)
    languages = list(dict.fromkeys(code for given in first.values() for code in given))
    if not names:
        raise UserError(f"records must hold the split {split!r}; here are none of it. Evaluate it, or give --split")
    values = np.full((3, len(seeds), len(names), len(languages)), np.nan)
    for place in np.ndindex(values.shape[1:]):
        given = read_in[seeds[place[0]]].get(names[place[1]], {})
        own = languages[place[2]]
        if own in given:
            chosen = pool(given, own, kind, count, pivot)
            if chosen is None:
                return None
            values[(slice(None), *place)] = _outcome(chosen, own, selector)
    columns = dict(zip(("correct", "right_and_in_language", "answered"), values, strict=True))
    own_rows = {seed: frames[seed][frames[seed]["split"] == split] for seed in seeds}
    cells = Cells(
        tuple(seeds), tuple(names), tuple(languages), columns, parts_of(own_rows, names), part_weights or None
    )
    check_weights(cells)
    return cells


def _outcome(chosen: list[Given], own: str, selector: Selector | None) -> tuple[float, float, float]:
    """(right, right and in the language of the query, answered), each from 0 to 1."""
    if selector is None:
        rows = [
            (float(bool(one.candidate.right)), float(_in(one, own)), float(one.candidate.answer is not None))
            for one in chosen
        ]
        right, both, answered = (sum(column) / len(rows) for column in zip(*rows, strict=True))
        return right, both, answered
    if selector.score == DOUBT:
        chosen = doubted(chosen)
    made = selector([one.candidate for one in chosen])
    if made.index is None:
        return 0.0, 0.0, 0.0
    right = sum(bool(chosen[place].candidate.right) for place in made.members) / len(made.members)
    return right, float(_in(chosen[made.index], own)), 1.0


def _in(one: Given, own: str) -> bool:
    return one.in_language and one.candidate.language == own

"""Counting votes by classes of equal answers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import isfinite

from src.grading.classes import answer_class
from src.selectors.base import Candidate, Chosen

TIES = ("first", "abstain")
KEYS = ("class", "float")


def count(candidates: Sequence[Candidate], weights: Sequence[float], tie: str, key: str = "class") -> Chosen:
    """The class of answers with the most weight, and the first candidate of it.

    Candidates without an answer do not vote, nor those of weight 0. Of several classes with the most weight the one that
    was seen first wins (`tie` first), or none does (`abstain`). `key` says what one class is: what the grader reads as
    equal (`class`), or what Python's float makes of the text (`float`, as CLSP; what is no number does not vote).
    """
    members: dict[Hashable, list[int]] = {}
    for place, (candidate, weight) in enumerate(zip(candidates, weights, strict=True)):
        own = _key(candidate, key)
        if own is not None and weight > 0:
            members.setdefault(own, []).append(place)
    totals = {own: sum(weights[place] for place in places) for own, places in members.items()}
    most = max(totals.values(), default=0.0)
    leaders = [own for own, total in totals.items() if total >= most - 1e-12 * most]
    if not leaders or (tie == "abstain" and len(leaders) > 1):
        return Chosen()
    places = members[leaders[0]]
    return Chosen(candidates[places[0]].answer, places[0], tuple(places))


def violations(name: str, tie: str, key: str) -> list[str]:
    """Every broken rule of these settings as one sentence."""
    return [
        f"{name}.{setting} must be one of {', '.join(allowed)}; got {value!r}"
        for setting, value, allowed in (("tie", tie, TIES), ("key", key, KEYS))
        if value not in allowed
    ]


def _key(candidate: Candidate, key: str) -> Hashable | None:
    if candidate.answer is None:
        return None
    if key == "class":
        return answer_class(candidate.answer, candidate.language)
    try:
        number = float(candidate.answer)
    except ValueError:
        return None
    return str(number) if isfinite(number) else None

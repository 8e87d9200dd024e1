"""Which rows stay: one of each problem, none that leaks, as many in each language. All orders come from the seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from src.data.leaks import connected, plain
from src.data.records import Question
from src.data.selection.groups import problem_groups, text_keys

# Why a row is dropped, in the order in which it is asked; the first that holds counts.
REASONS = {
    "bad_gold": "the gold answer is not right against itself",
    "duplicate": "the text stood before",
    "leak": "the problem stands in a set of prompts.against, in this or another language",
    "reworded": "the problem stood before in the same language, in other words",
    "translation": "the problem is kept in another language",
    "too_hard": "right in too few rollouts",
    "too_easy": "right in too many rollouts",
    "balance": "more than the smallest language has, or than per_language",
}
Dropped = dict[int, tuple[str, str]]  # index -> reason, detail


def shuffle_key(question: Question, seed: int) -> bytes:
    """Sorting by it shuffles rows in the order of the seed; a function of the row, not of its neighbours."""
    text = f"{seed}/{question.language}/{question.problem}/{question.question}"
    return hashlib.sha256(text.encode(errors="replace")).digest()


def duplicates(rows: Sequence[Question]) -> Dropped:
    """Rows whose text stood before."""
    first: dict[str, Question] = {}
    dropped: Dropped = {}
    for index, row in enumerate(rows):
        kept = first.setdefault(plain(row.question), row)
        if kept is not row:
            dropped[index] = ("duplicate", kept.problem)
    return dropped


def leaks(rows: Sequence[Question], against: Mapping[str, Sequence[Question]]) -> tuple[Dropped, dict[str, int]]:
    """The rows whose problem stands in one of the sets, whatever the language, and how many rows of each set stand in
    `rows`. A row leaks with its translations: those with its id, or that share a key with it."""
    others = [(name, question) for name, questions in against.items() for question in questions]
    keys = [[("id", row.problem), *text_keys(row)] for row in rows] + [text_keys(question) for _, question in others]
    dropped: Dropped = {}
    counts = dict.fromkeys(against, 0)
    for group in connected(keys):
        leaked = [index for index in group if index < len(rows)]
        sources = [others[index - len(rows)] for index in group if index >= len(rows)]
        if leaked and sources:
            name, question = sources[0]
            dropped |= dict.fromkeys(leaked, ("leak", f"{name} {question.problem}"))
            for name, _ in sources:
                counts[name] += 1
    return dropped, counts


def translations(rows: Sequence[Question], mode: str, seed: int) -> Dropped:
    """All but one row of each problem (mode `all`: of each problem in each language).

    A problem stays in that of its languages which has the fewest so far, those with the fewest languages first; so the
    languages come out as even as the problems allow.
    """
    groups = []
    for group in problem_groups(rows):
        by_language: dict[str, list[int]] = {}
        for index in group:
            by_language.setdefault(rows[index].language, []).append(index)
        groups.append(by_language)
    groups.sort(key=lambda group: (len(group), min(shuffle_key(rows[indices[0]], seed) for indices in group.values())))
    counts: Counter[str] = Counter()
    dropped: Dropped = {}
    for by_language in groups:
        order = sorted(by_language, key=lambda code: (counts[code], shuffle_key(rows[by_language[code][0]], seed)))
        chosen = order if mode == "all" else order[:1]
        for code, indices in by_language.items():
            if code in chosen:
                counts[code] += 1
                dropped |= dict.fromkeys(indices[1:], ("reworded", rows[indices[0]].problem))
            else:
                kept = rows[by_language[chosen[0]][0]]
                dropped |= dict.fromkeys(indices, ("translation", f"{kept.language} {kept.problem}"))
    return dropped


def balance(rows: Sequence[Question], mode: str, per_language: int | None, seed: int) -> Dropped:
    """The rows of each language beyond `per_language`, and with mode `smallest` beyond the size of the smallest."""
    by_language: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        by_language.setdefault(row.language, []).append(index)
    limits = [per_language] if per_language is not None else []
    limits += [min(map(len, by_language.values()))] if mode == "smallest" and by_language else []
    if not limits:
        return {}
    return {
        index: ("balance", "")
        for indices in by_language.values()
        for index in sorted(indices, key=lambda index: shuffle_key(rows[index], seed))[min(limits) :]
    }

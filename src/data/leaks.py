"""Questions of one set that stand in another, or twice in one, word for word or as the same problem in other words.

Counts are of rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Sequence

from src.data.records import Question

DIGITS = 4  # of answer and numbers together: fewer are shared by chance
CHARACTERS = 8  # of answer and longest formula together

_FORMULA = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\$(.+?)\$|\\\((.+?)\\\)", re.DOTALL)
_WORDS = re.compile(r"\\(?:text|textbf|mathrm|mbox)\s*\{[^{}]*\}")
_LAYOUT = re.compile(r"\\(?:(?:left|right|displaystyle|limits|quad|qquad)(?![a-zA-Z])|[,;!: ])|[\s{}.,;:、。]")
_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|\\,|[,.\s])(?=\d{3}(?!\d)|\d\d,\d{3}(?!\d))")


def plain(text: str) -> str:
    """`text` in one form: NFKC, lower case, each run of blanks and punctuation (but dashes: a sign) one blank."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(" " if _separates(character) else character for character in folded).split())


def exact_leaks(a: Sequence[Question], b: Sequence[Question]) -> list[tuple[Question, Question]]:
    """(the first row of `a` with the text, the row of `b`) for every row of `b` whose `plain` text stands in `a`."""
    first: dict[str, Question] = {}
    for row in a:
        first.setdefault(plain(row.question), row)
    return [(first[text], row) for row in b if (text := plain(row.question)) in first]


def duplicates(questions: Sequence[Question]) -> list[tuple[Question, Question]]:
    """(the first row with the text, the later row) for every row whose `plain` text stood before."""
    first: dict[str, Question] = {}
    return [(kept, row) for row in questions if (kept := first.setdefault(plain(row.question), row)) is not row]


def signature(question: Question) -> tuple[tuple[str, ...], ...]:
    """Keys that translation leaves as they are; two questions that share one are the same problem.

    The answer with all numbers of the question (as a multiset), if these have at least `DIGITS` digits together; and
    the answer with the longest formula, if these have at least `CHARACTERS` characters. With less there is no key.
    """
    gold = plain(re.sub(r"\.0+$", "", question.gold))
    text = "".join(
        str(unicodedata.digit(c, c)) if c.isdigit() else c for c in unicodedata.normalize("NFKC", question.question)
    )
    numbers = sorted(re.findall(r"\d+", _THOUSANDS.sub("", text)))
    formulas = [_formula("".join(filter(None, groups))) for groups in _FORMULA.findall(text)]
    longest = max(formulas, key=lambda formula: (len(formula), formula), default="")
    keys: list[tuple[str, ...]] = []
    if numbers and sum(character.isdigit() for character in gold + "".join(numbers)) >= DIGITS:
        keys.append(("numbers", gold, *numbers))
    if longest and len(gold + longest) >= CHARACTERS:
        keys.append(("formula", gold, longest))
    return tuple(keys)


def same_problems(questions: Sequence[Question]) -> list[list[int]]:
    """The groups of at least two rows, as indices, that shared keys of `signature` connect; in order of first rows.

    On the 5,000 rows of dapo_math@train_5k, 937 groups have more than one language; they hold 2,213 rows. With
    `DIGITS` 3 it is 965 groups and 2,291 rows, with 5 it is 911 and 2,135. Keys are also shared by chance: 20 of the
    3,000 rows of MGSM-Rev2 share one with train_5k (28 with `DIGITS` 3, none with 5).
    """
    return [group for group in connected([signature(question) for question in questions]) if len(group) > 1]


def connected(keys: Sequence[Iterable[Hashable]]) -> list[list[int]]:
    """The groups of rows, as indices, that shared keys connect, rows without keys being alone; in order of first rows."""
    parent = list(range(len(keys)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[Hashable, int] = {}
    for index, row_keys in enumerate(keys):
        for key in row_keys:
            one, other = sorted((root(first.setdefault(key, index)), root(index)))
            parent[other] = one
    groups: dict[int, list[int]] = {}
    for index in range(len(keys)):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def report(a: Sequence[Question], b: Sequence[Question] | None, show: int) -> str:
    """The counts and the first `show` examples of each kind; `b` None: of duplicates within `a`."""
    if b is None:
        exact = duplicates(a)
        groups = [group for group in same_problems(a) if len({a[index].language for index in group}) > 1]
        count = sum(len(group) for group in groups)
        lines = _lines("rows whose text stood before", len(exact), len(a), exact[:show])
        pairs = [
            (a[group[0]], a[index])
            for group in groups
            for index in group[1:]
            if a[index].language != a[group[0]].language
        ]
        return "\n".join(
            lines + _lines(f"rows in {len(groups):,} problems in several languages", count, len(a), pairs[:show])
        )
    exact = exact_leaks(a, b)
    known = {id(row) for _, row in exact}
    both = [*a, *b]
    pairs = [
        (both[group[0]], both[index])  # a group's first row is one of A where it has any
        for group in same_problems(both)
        if group[0] < len(a)
        for index in group
        if index >= len(a) and id(both[index]) not in known
    ]
    lines = _lines("rows of B whose text stands in A", len(exact), len(b), exact[:show])
    return "\n".join(lines + _lines("other rows of B whose problem stands in A", len(pairs), len(b), pairs[:show]))


def _separates(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind[0] in "ZC" or (kind[0] == "P" and kind != "Pd")


def _formula(text: str) -> str:
    """A formula without words, spacing and braces, which translations change."""
    return _LAYOUT.sub("", _WORDS.sub("", text)).replace("dfrac", "frac").replace("tfrac", "frac")


def _lines(title: str, count: int, total: int, pairs: Sequence[tuple[Question, Question]]) -> list[str]:
    lines = [f"{count:6,} of {total:,}  {title}"]
    for one, other in pairs:
        lines += [
            f"          {row.language}  {row.problem:>10}  {' '.join(row.question.split())[:90]}"
            for row in (one, other)
        ]
        lines.append("")
    return lines


if __name__ == "__main__":
    raise SystemExit("this is a command of its own now: python -m src leaks A [B]")

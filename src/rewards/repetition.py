"""Does a text repeat itself?"""

from __future__ import annotations

from collections import Counter

WORDS = 8  # longest phrase that is looked for


def repeated_line(text: str, length: int, times: int) -> bool:
    """Whether a line of at least `length` characters, ends trimmed, stands at least `times` times in `text`.

    >>> repeated_line("so it is five\\n" * 3, length=10, times=3), repeated_line("five\\n" * 3, length=10, times=3)
    (True, False)
    """
    lines = (line.strip() for line in text.splitlines())
    return max(Counter(line for line in lines if len(line) >= length).values(), default=0) >= times


def repeated_phrase(text: str, times: int, longest: int = WORDS) -> bool:
    """Whether 2 to `longest` words follow themselves at least `times` times in a row; in linear time.

    A script without blanks has no words: a run of 2 to `longest` characters counts there.

    >>> repeated_phrase("and then and then and then", times=3), repeated_phrase("then and then", times=2)
    (True, False)
    """
    words = text.split()
    spaced = len(words) * 12 >= len(text)
    units = words if spaced else list("".join(words))
    return any(_longest_run(units, size) >= (times - 1) * size for size in range(2, longest + 1) if times > 1)


def _longest_run(units: list[str], size: int) -> int:
    """Most neighbours in a row of which each equals the one `size` places on."""
    longest = run = 0
    for one, other in zip(units, units[size:], strict=False):
        run = run + 1 if one == other else 0
        longest = max(longest, run)
    return longest

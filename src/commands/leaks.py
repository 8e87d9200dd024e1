"""Questions of one set that stand in another, or twice in one: `python -m src leaks A [B] [--show 5]`.

A and B each name a set as `src/data/question_sets.py` says: `dapo_math@train_5k=data/dapo_math`, or a JSONL file of questions.
With A alone, its duplicates are reported: word for word, and as the same problem in other words. Counts are of rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from src.common.console import fail
from src.common.errors import UserError
from src.config.paths import expanded
from src.data.leaks import report
from src.data.question_sets import read


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m src leaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", type=expanded, metavar="A", help="one set, or two: A and B")
    parser.add_argument("--show", type=int, default=5, help="examples of each kind (default 5)")
    options = parser.parse_args(arguments)
    if len(options.sets) > 2:
        parser.error(f"one or two sets; got {len(options.sets)}")
    try:
        rows = [read(name) for name in options.sets]
    except UserError as error:
        return fail(str(error))
    for letter, name, questions in zip("AB", options.sets, rows, strict=False):
        print(f"{letter}  {len(questions):,} rows  {name}")
    print(report(rows[0], rows[1] if len(rows) > 1 else None, options.show))
    return 0

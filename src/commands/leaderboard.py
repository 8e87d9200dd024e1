"""Every finished evaluation below a root, best first: `python -m src leaderboard [ROOT]`. Sorted by correct and in language.

Only runs that were asked the same questions stand in one table. Seeds of one method are one row; in the interval are seeds
and problems. `acc.` is accuracy, `in lang.` fidelity, `both` correct and in language, `non-en` that without English.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from src.common.console import fail, note
from src.common.errors import UserError
from src.config.paths import user_path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; code 2 where there is nothing to show."""
    parser = argparse.ArgumentParser(prog="python -m src leaderboard", description=__doc__)
    parser.add_argument("root", type=user_path, nargs="?", default=Path("runs"), metavar="ROOT")
    parser.add_argument("--split", help="this one alone")
    parser.add_argument("--json", action="store_true", help="a list of objects with everything, for programs")
    options = parser.parse_args(arguments)
    try:
        from src.reporting.leaderboard import heading, leaderboard, table

        boards, left_out = leaderboard(options.root, options.split)
    except UserError as error:
        return fail(str(error))
    for line in left_out:
        note(line)
    if options.json:
        print(json.dumps([entry.as_json() for board in boards for entry in board], ensure_ascii=False, indent=1))
        return 0
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
    for place, board in enumerate(boards):
        print(*([""] if place else []), heading(board), table(board, width).text(), sep="\n")
    return 0

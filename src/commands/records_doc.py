"""Print docs/records.md, the columns of rollouts and evaluation records: `python -m src records-doc`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from src.store.records import page


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    argparse.ArgumentParser(prog="python -m src records-doc", description=__doc__).parse_args(arguments)
    print(page(), end="")
    return 0

"""Print docs/metrics.md, the meaning of every metric that is logged: `python -m src metrics-doc`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from src.tracking.glossary import page


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    argparse.ArgumentParser(prog="python -m src metrics-doc", description=__doc__).parse_args(arguments)
    print(page(), end="")
    return 0

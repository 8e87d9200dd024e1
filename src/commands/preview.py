"""Read a language of the embedded world with your own eyes: `python -m src preview fr [count]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from src.data.world.preview import LANGUAGES, show


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m src preview", description=__doc__)
    parser.add_argument("language", choices=LANGUAGES)
    parser.add_argument("count", type=int, nargs="?", default=5, help="problems (default 5)")
    options = parser.parse_args(arguments)
    show(options.language, options.count)
    return 0

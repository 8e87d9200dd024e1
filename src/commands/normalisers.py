"""Draw docs/normalisers.png, which groups feel the language term: `python -m src normalisers`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from src.common.registry import CONF
from src.reporting.normalisers import draw

PICTURE = CONF.parent / "docs" / "normalisers.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    argparse.ArgumentParser(prog="python -m src normalisers", description=__doc__).parse_args(arguments)
    draw(PICTURE)
    return 0

"""What commands share that look at a configuration and start nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from src.common.console import fail
from src.common.errors import UserError
from src.config.compose import composed
from src.config.schema import Config


def show_of_config(show: Callable[[Config], str], arguments: Sequence[str] | None, usage: str) -> int:
    """Print what `show` makes of the configuration that the arguments compose; the exit code, 2 for a user's mistake."""
    texts = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & set(texts):
        print(usage.strip())
        return 0
    try:
        print(show(composed(texts)))
    except UserError as error:
        return fail(str(error))
    return 0

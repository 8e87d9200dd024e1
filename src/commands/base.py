"""What commands share that look at a configuration and start nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable

from src.common.console import fail
from src.common.errors import UserError
from src.config.compose import composed
from src.config.schema import Config


def command(look: Callable[[Config], str]) -> None:
    """Print what `look` finds; a mistake on the command line ends with code 2 and one message."""
    try:
        print(look(composed(sys.argv[1:])))
    except UserError as error:
        sys.exit(fail(str(error)))

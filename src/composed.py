"""The configuration of a command line, for commands that look at a run and do not start it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from src import config as configuration
from src.common.errors import UserError
from src.common.registry import CONF
from src.compose_errors import explain


def composed(overrides: Sequence[str]) -> configuration.Config:
    """The checked configuration of `+experiment=<name> [key=value ...]`, as `src.run` has it.

    Raises:
        UserError: it cannot be composed, or cannot run.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    configuration.register()
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = configuration.build(compose("config", overrides=list(overrides)))
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explain(error)) from None
    configuration.check(config)
    return config


def command(look: Callable[[configuration.Config], str]) -> None:
    """Print what `look` finds; a mistake on the command line ends with code 2 and one message."""
    try:
        print(look(composed(sys.argv[1:])))
    except UserError as error:
        sys.exit(fail(str(error)))


def fail(message: str) -> int:
    """Print an error; the exit code of a user's mistake."""
    print(f"error: {message}", file=sys.stderr)
    return 2

"""What commands share that look at a configuration and start nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from src.common.console import printed
from src.config.compose import composed
from src.config.schema import Config


def show_of_config(
    show: Callable[[Config], str], arguments: Sequence[str] | None, usage: str, files: bool = True
) -> int:
    """Print what `show` makes of the configuration that the arguments compose; the exit code, 2 for a user's mistake. Without
    `files`, none of data are needed, and without an experiment it is GRPO."""
    texts = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & set(texts):
        print(usage.strip())
        return 0
    if not files and not any("experiment=" in text for text in texts):
        texts = ["+experiment=grpo", *texts]
    return printed(lambda: show(composed(texts, files)))

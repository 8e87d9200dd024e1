"""What commands share that look at a configuration and start nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from src.common.console import printed
from src.common.errors import UserError
from src.config.compose import composed
from src.config.schema import Config
from src.store.directory import CONFIG


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


def weights_beside(records: Sequence[Path]) -> dict[str, float]:
    """The weights of the parts, from the configurations beside the records; empty where none are told."""
    import yaml

    weights_of = {}
    for path in records:
        config = path.resolve().parent.parent / CONFIG
        if config.is_file():
            benchmark = (yaml.safe_load(config.read_text(encoding="utf-8")) or {}).get("benchmark") or {}
            weights_of[path] = benchmark.get("weights") or {}
    for path, weights in weights_of.items():
        first, wanted = next(iter(weights_of.items()))
        if weights != wanted:
            raise UserError(f"benchmark.weights must be the same in all runs; {first} has {wanted}, {path} {weights}")
    return next(iter(weights_of.values()), {})

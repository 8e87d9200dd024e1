"""Selectors side by side at equal numbers of samples, from finished runs: `python -m src selectors RUN --samples 4 12`.

A run is its directory, a folder of seed directories, or a records.parquet. What selectors and pools are: docs/inference.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from src.common.console import fail
from src.common.errors import UserError, nearest
from src.common.registry import choice, choices
from src.selectors.base import Selector
from src.store.finished import find, part_weights


def selector(name: str) -> Selector:
    """What `conf/selector/<name>.yaml` describes.

    Raises:
        UserError: there is no such file, or its settings break a rule.
    """
    if name not in choices("selector"):
        raise UserError(f"--selectors: there is no selector {name!r}. {nearest(name, choices('selector'))}")
    kind, settings = choice("selector", name)
    made: Selector = kind(**settings)
    broken: list[str] = getattr(made, "violations", list)()
    if broken:
        raise UserError(f"conf/selector/{name}.yaml: {'; '.join(broken)}")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m src selectors", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--selectors", nargs="+", default=choices("selector"), help="conf/selector/*.yaml (all)")
    parser.add_argument(
        "--samples", type=int, nargs="+", help="of each problem (default: a question's, and 1 a language)"
    )
    parser.add_argument("--split", default="test")
    parser.add_argument("--pivot", help="the language of pool `pivot` (en)")
    parser.add_argument("--output", type=Path, help="a folder for selectors.md and selectors.csv")
    options = parser.parse_args(arguments)
    try:
        import pandas

        from src.analysis.domains import domains_of
        from src.reporting.selection import PIVOT, counts_of, side_by_side
        from src.store.records import seen_of

        chosen = {name: selector(name) for name in options.selectors}
        if options.samples and min(options.samples) < 1:
            raise UserError(f"--samples must be 1 or more; got {min(options.samples)}")
        files = find(options.run)
        frames = {seed: pandas.read_parquet(path) for seed, path in files.items()}
        languages = {code for frame in frames.values() for code in frame["language"].unique()}
        domains = domains_of([seen_of(files.values())], languages)
        counts = options.samples or counts_of(frames.values(), options.split)
        table = side_by_side(
            frames, options.split, chosen, counts, options.pivot or PIVOT, domains, part_weights(list(files.values()))
        )
        print(table.text())
        if options.output:
            options.output.mkdir(parents=True, exist_ok=True)
            title = f"# Selectors, {options.split}\n\n{table.markdown()}\n"
            (options.output / "selectors.md").write_text(title, encoding="utf-8")
            (options.output / "selectors.csv").write_text(table.csv(), encoding="utf-8", newline="")
    except UserError as error:
        return fail(str(error))
    return 0

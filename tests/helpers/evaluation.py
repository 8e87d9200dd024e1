"""An evaluation's records, small enough to work out its values by hand."""

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

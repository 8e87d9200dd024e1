"""Directories of finished runs, as far as reports of several runs read them."""

import json

import pandas
import yaml

from src.store.whole import sums_of_stage
from tests.helpers.stamps import stamp_seen

CONFIG = {
    "method": "grpo",
    "seed": 0,
    "scale": "laptop",
    "stages": ["grpo", "evaluate", "report"],
    "model": {"path": "world"},
    "world": {"name": "small"},
    "benchmark": {
        "_target_": "src.data.benchmarks.world.World",
        "source": None,
        "revision": None,
        "path": None,
        "completions": None,
        "weights": {},
    },
    "rollout": {"maximum_new_tokens": 96},
    "evaluation": {"samples": 1},
}


def finished_run(folder, right, method="grpo", seed=0, split="test", settings=None, seen=None, **columns):
    """A finished run in `folder`: right[language] says which of its problems are right, all in the language of the question.
    `settings` replace parts of the configuration; `columns` are put over those of the records."""
    (folder / "evaluate").mkdir(parents=True)
    config = CONFIG | {"method": method, "seed": seed} | (settings or {})
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    rows = pandas.DataFrame(
        {
            "split": split,
            "problem": f"p{number}",
            "language": code,
            "correct": bool(value),
            "in_language": True,
            "right_and_in_language": bool(value),
            "line_pass": True,
            "word_pass": True,
            "code_switched": False,
            "tokens": 10,
            "truncated": False,
            "gold": str(number),
        }
        for code, row in right.items()
        for number, value in enumerate(row)
    )
    rows.assign(**columns).to_parquet(folder / "evaluate" / "records.parquet")
    stamp_seen(folder / "evaluate" / "records.parquet", seen)
    note = sums_of_stage(folder / "evaluate") | {"commit": "0123456789"}
    (folder / "evaluate" / "done.json").write_text(json.dumps(note))
    return folder

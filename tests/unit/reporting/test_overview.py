"""The cost of runs, and the table of many methods."""

import json

import pandas
import pytest

from src.analysis.statistics import cells
from src.common.errors import UserError
from src.reporting.overview import overview
from src.reporting.spent import Spent, spent
from src.store.records import ROLLOUTS
from src.store.rollouts import write_rollouts


def stage(folder, seconds, tokens=()):
    """A finished stage whose steps sampled so many tokens each."""
    folder.mkdir(parents=True)
    (folder / "done.json").write_text(json.dumps({"identity": "x", "seconds": seconds}))
    empty = dict.fromkeys(column.name for column in ROLLOUTS)
    for step, count in enumerate(tokens, start=1):
        write_rollouts(folder / "rollouts", step, [empty | {"step": step, "tokens": count}] * 2)
    return folder


def test_cost_is_that_of_training_and_counts_a_folder_once(tmp_path):
    sft = stage(tmp_path / "sft-1", 2.5)
    grpo = stage(tmp_path / "grpo", 10.0, tokens=(30, 40))
    evaluation = stage(tmp_path / "evaluate", 99.0)
    stages = [("sft", sft), ("sft", sft), ("grpo", grpo), ("evaluate", evaluation)]
    assert spent(stages) == Spent(12.5, 140)
    assert spent([]) == Spent()


def test_cost_of_a_stage_that_is_not_finished_is_an_error(tmp_path):
    with pytest.raises(UserError, match="must be finished"):
        spent([("grpo", tmp_path)])


def frame(right):
    """Four problems in French, the first `right` of them right and in French."""
    rows = [dict.fromkeys(("correct", "in_language", "right_and_in_language"), n < right) for n in range(4)]
    same = {"split": "test", "language": "fr", "line_pass": True, "word_pass": True, "code_switched": False}
    return pandas.DataFrame(
        [row | same | {"problem": f"p{n}", "tokens": 8, "truncated": False} for n, row in enumerate(rows)]
    )


def test_the_table_compares_every_method_with_one_and_says_what_it_cost():
    methods = {name: cells({1: frame(right)}, "test") for name, right in (("base", 1), ("adamame_grpo", 4))}
    costs = {"base": [Spent()], "adamame_grpo": [Spent(10, 1000), Spent(20, 2000)]}
    table = overview(methods, "adamame_grpo", costs, ["fr"])
    assert table.head[4:] == ("right and in language minus AdaMame-GRPO", "training s", "sampled tokens, thousands")
    base, ours = table.rows
    assert (base[0], base[1][:5], base[4][:6], base[5:]) == ("base", "0.250", "-0.750", ("0", "0"))
    assert (ours[0], ours[1], ours[4:]) == ("AdaMame-GRPO", "1.000 [1.000, 1.000]", ("-", "15", "2"))

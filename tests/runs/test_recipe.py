"""The whole recipe in the tiny world: language collapse is there, SFT and AdaMame-GRPO act on it.

Bounds leave room for chance and assert no order of accuracies.
"""

import subprocess
import sys

import pandas
import pytest

from tests.helpers.paths import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    root = tmp_path_factory.mktemp("recipe")
    (root / "runs.yaml").write_text(
        "title: recipe\nexperiments: [base, sft, grpo, adamame_grpo]\njobs: 2\ncompared: adamame_grpo\n"
        "overrides: [distributed.processes=1]\n"
    )
    subprocess.run(
        [sys.executable, "-m", "src", "launch", str(root), "--scale", "tiny", "--root", str(root / "runs")],
        cwd=ROOT,
        check=True,
    )
    means = {}
    for method in ("base", "sft", "grpo", "adamame_grpo"):
        (path,) = (root / "runs" / "tiny" / method).glob("seed0*/evaluate/records.parquet")
        frame = pandas.read_parquet(path)
        means[method] = frame[frame["split"] == "test"].groupby("language").mean(numeric_only=True)
    return means


def test_the_base_model_answers_and_thinks_in_english(records):
    base = records["base"]
    assert base["correct"].mean() >= 0.4
    assert base.drop("en")["in_language"].mean() <= 0.2


def test_sft_brings_its_languages_back(records):
    assert records["sft"].loc[["fr", "ja"], "in_language"].mean() >= 0.7


def test_adamame_keeps_the_language_where_plain_grpo_loses_it(records):
    trained = ["fr", "ja"]
    gap = (
        records["adamame_grpo"].loc[trained, "in_language"].mean() - records["grpo"].loc[trained, "in_language"].mean()
    )
    assert gap >= 0.15

"""Finished evaluations below a root, best first, those of one set of questions together."""

import json

import pytest

from src.commands.leaderboard import main
from tests.helpers.finished import finished_run

RIGHT = {"fr": [1, 1, 1, 0], "en": [1, 1, 1, 1]}
WRONG = {"fr": [0, 0, 0, 0], "en": [1, 1, 1, 1]}


@pytest.fixture
def root(tmp_path):
    """GRPO of two seeds and a base model on French and English, SFT on French alone, and a run that is not evaluated."""
    for seed in (1, 2):
        finished_run(tmp_path / "laptop" / "grpo" / f"seed{seed}", RIGHT, seed=seed)
    finished_run(tmp_path / "laptop" / "base" / "seed1", WRONG, method="base", seed=1)
    finished_run(tmp_path / "tiny" / "deep" / "sft" / "seed1", {"fr": [1, 1, 1, 1]}, method="sft", seed=1)
    (finished_run(tmp_path / "tiny" / "cut" / "seed1", WRONG) / "evaluate" / "done.json").unlink()
    return tmp_path


def test_the_best_come_first_and_other_questions_stand_apart(root, capsys):
    assert main([str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "World, test: 4 problems, en, fr" and lines[5] == "World, test: 4 problems, fr"
    assert lines[1].split() == ["#", "method", "acc.", "in", "lang.", "both", "non-en", "seeds", "commit"]
    assert lines[2].split()[:5] == ["1", "GRPO", "0.875", "1.000", "0.875"]
    assert lines[2].split()[-3:] == ["0.750", "1-2", "0123456"]
    assert lines[3].split()[1:5] == ["base", "0.500", "1.000", "0.500"] and lines[3].split()[-3] == "0.000"
    assert lines[7].split()[1:3] == ["SFT", "1.000"] and len(lines) == 8
    assert max(map(len, lines)) <= 80


def test_programs_get_everything(root, capsys):
    assert main([str(root), "--json", "--split", "test"]) == 0
    first, *rest = json.loads(capsys.readouterr().out)
    assert (first["rank"], first["method"], first["model"], first["data"]) == (1, "grpo", "world (small)", "World")
    assert first["seeds"] == [1, 2] and first["commits"] == ["0123456789"] and first["languages"] == ["en", "fr"]
    assert first["values"]["non-en"]["accuracy"]["value"] == 0.75
    assert first["directories"] == [str(root / "laptop" / "grpo" / f"seed{seed}") for seed in (1, 2)]
    assert [entry["method"] for entry in rest] == ["base", "sft"]


def test_what_cannot_be_shown_is_said(root, capsys):
    damaged = root / "laptop" / "base" / "seed1" / "evaluate" / "records.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert main([str(root)]) == 0
    printed = capsys.readouterr()
    assert "note: left out: " in printed.err and "base/seed1" in printed.err and "base" not in printed.out


def test_mistakes_end_with_one_message(root, capsys):
    assert main([str(root / "nowhere")]) == 2
    assert "must hold a finished evaluation" in capsys.readouterr().err
    assert main([str(root), "--split", "dev"]) == 2
    assert "--split must be among those that were evaluated, test; got 'dev'" in capsys.readouterr().err

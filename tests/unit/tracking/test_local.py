"""TensorBoard and Trackio, the real packages where they are installed: what a copy holds, and what a resumed stage leaves."""

from __future__ import annotations

import json
import sys

import pytest

from src.store.records import ROLLOUTS
from src.store.rollouts import write_rollouts
from src.tracking.local import complete
from src.tracking.spec import TrackingSpec
from src.tracking.tensorboard_copy import markdown
from src.tracking.tracker import Tracker
from tests.helpers.evaluation import write_evaluation

TENSORBOARD = TrackingSpec(tensorboard=True, rollouts_every=2, rollouts_rows=1)
TRACKIO = TrackingSpec(trackio=True, rollouts_every=2, rollouts_rows=1)


def train(home, spec, steps, resumed=0, stage="grpo"):
    """A stage that logs `loss` = step; every step has a rollout."""
    tracker = Tracker(home / stage, stage, spec, home)
    tracker.resume(resumed)
    for step in steps:
        row = dict.fromkeys(column.name for column in ROLLOUTS)
        row |= {"step": step, "language": "sw", "completion": "a|b\x1b[2J<i>", "gold": "7", "correct": True}
        write_rollouts(home / stage / "rollouts", step, [row])
        tracker.log(step, {"loss": float(step), "accuracy/sw": 0.25})
    tracker.close()


def scalars(home, name, stage="grpo"):
    """(step, value) of one curve, as TensorBoard reads them."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(home / stage / "tensorboard"))
    reader.Reload()
    return [(event.step, event.value) for event in reader.Scalars(name)], reader


@pytest.fixture
def trackio(tmp_path, monkeypatch):
    """The library with its files in a folder of the test."""
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    if "trackio" in sys.modules:
        pytest.skip("trackio was imported before and keeps its folder")
    yield pytest.importorskip("trackio")
    for name in [name for name in sys.modules if name.split(".")[0] == "trackio"]:
        del sys.modules[name]


def logged(home, stage="grpo"):
    """The lines that Trackio holds of a stage, by step."""
    from trackio.sqlite_storage import SQLiteStorage

    name = json.loads((home / stage / "trackio.json").read_text())["name"]
    return name, SQLiteStorage.get_logs("adamame", name)


def test_tensorboard_has_the_steps_and_the_rollouts(tmp_path):
    pytest.importorskip("tensorboard")
    train(tmp_path, TENSORBOARD, [1, 2, 3])
    curve, reader = scalars(tmp_path, "grpo/loss")
    assert curve == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert scalars(tmp_path, "grpo/accuracy/sw")[0][0] == (1, 0.25)
    (shown,) = reader.Tensors("rollouts/text_summary")
    assert shown.step == 2 and b"a&#124;b&#92;u001b[2J&lt;i>" in shown.tensor_proto.string_val[0]


def test_tensorboard_repeats_no_step_of_a_resumed_stage(tmp_path):
    pytest.importorskip("tensorboard")
    train(tmp_path, TENSORBOARD, [1, 2, 3])
    train(tmp_path, TENSORBOARD, [3, 4], resumed=2)
    assert scalars(tmp_path, "grpo/loss")[0] == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    assert len(list((tmp_path / "grpo" / "tensorboard").iterdir())) == 1


def test_trackio_goes_on_with_the_same_run(tmp_path, trackio):
    home = tmp_path / "grpo" / "seed0"
    train(home, TRACKIO, [1, 2, 3])
    name, lines = logged(home)
    assert name.startswith("grpo-seed0-grpo-")
    assert [(line["step"], line["grpo/loss"]) for line in lines] == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert lines[1]["rollouts"]["_value"][0]["gold"] == "7"
    train(home, TRACKIO, [3, 4], resumed=2)
    again, lines = logged(home)
    assert again == name and [line["step"] for line in lines] == [1, 2, 3, 4]
    assert [run.name for run in trackio.Api().runs("adamame")] == [name]


@pytest.mark.parametrize("package", ["tensorboard", "trackio"])
def test_a_copy_that_is_asked_for_later_gets_all_stages_and_the_evaluation(package, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    pytest.importorskip(package)
    home = tmp_path / "grpo" / "seed0"
    train(home, TrackingSpec(), [1, 2])
    (home / "evaluate").mkdir()
    write_evaluation(home / "evaluate")
    spec = TENSORBOARD if package == "tensorboard" else TRACKIO
    asked = []
    for _ in range(2):
        complete(home, spec, lambda: asked.append(1) or {"dev/accuracy": 0.625})
    assert asked == [1]
    if package == "tensorboard":
        assert scalars(home, "grpo/loss")[0] == [(1, 1.0), (2, 2.0)]
        assert scalars(home, "dev/accuracy", "evaluate")[0] == [(0, 0.625)]
    else:
        assert logged(home, "evaluate")[1][0]["dev/accuracy"] == 0.625


def test_a_copy_without_its_package_ends_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setitem(sys.modules, "trackio", None)
    train(tmp_path, TrackingSpec(tensorboard=True, trackio=True), [1, 2])
    printed = capsys.readouterr().out
    assert "tensorboard stopped (" in printed and "trackio stopped (" in printed
    assert len((tmp_path / "grpo" / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (problem,) = TRACKIO.missing()
    assert "the package trackio, which is not installed: make setup-trackio" in problem
    assert TrackingSpec().missing() == []


def test_a_table_of_texts_keeps_its_cells():
    assert markdown([{"text": "a|b\nc*", "n": None}]) == "| text | n |\n| --- | --- |\n| a&#124;b<br>c&#42; |  |"

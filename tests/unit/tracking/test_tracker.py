"""The tracker: what it refuses, how it resumes, and W&B that cannot end a run."""

import errno
import json
import sys
from types import SimpleNamespace

import pytest

from src.common.errors import UserError
from src.tracking.glossary import GLOSSARY, UnknownMetric, page, require
from src.tracking.metrics_file import read_metrics
from src.tracking.spec import TrackingSpec
from src.tracking.tracker import Tracker
from src.tracking.wandb.backfill import backfill
from src.tracking.wandb.run import WandbRun, named


@pytest.fixture(autouse=True)
def no_mode(monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)


class FakeWandb(SimpleNamespace):
    """Stands for the library: remembers what a run is begun with."""

    class Error(Exception):
        pass

    def __init__(self, answer):
        self.answer, self.begun, self.logged = answer, [], []
        self.teardown = lambda: None

    def login(self, prompt):
        assert prompt is False
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def Settings(self, **settings):
        return settings

    def init(self, **arguments):
        self.begun.append(arguments)
        return SimpleNamespace(
            id=arguments["id"],
            summary={},
            log=self.logged.append,
            define_metric=lambda *_, **__: None,
            finish=lambda exit_code: None,
        )


def track(directory, steps, spec, resumed=0):
    tracker = Tracker(directory, "grpo", spec)
    tracker.resume(resumed)
    for step in steps:
        tracker.log(step, {"loss": float(step)})
    tracker.close()


def test_every_entry_says_what_it_is():
    for metric in GLOSSARY.values():
        assert metric.unit and metric.meaning.endswith("."), metric.name
        assert f"| `{metric.name}`" in page()


def test_an_unknown_metric_leaves_no_line(tmp_path):
    tracker = Tracker(tmp_path, "grpo", TrackingSpec())
    tracker.resume(0)
    with pytest.raises(UnknownMetric, match="'fidelty' has no entry .* Did you mean 'fidelity'"):
        tracker.log(1, {"loss": 1.0, "fidelty": 0.5})
    tracker.close()
    assert read_metrics(tmp_path / "metrics.jsonl") == []
    require("fidelity/fr")


def test_a_line_is_there_as_soon_as_it_is_logged(tmp_path):
    tracker = Tracker(tmp_path, "sft", TrackingSpec())
    tracker.resume(0)
    tracker.log(1, {"loss": 0.5})
    (line,) = read_metrics(tmp_path / "metrics.jsonl")
    assert (line["stage"], line["step"], line["loss"]) == ("sft", 1, 0.5)
    tracker.close()


def test_only_the_last_line_may_be_torn(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2}\n{"st\xff\x00')
    assert read_metrics(path) == [{"step": 1}, {"step": 2}]
    path.write_text('{"step": 1}\n{"st\n{"step": 3}\n')
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 2: every line but the last must be JSON"):
        read_metrics(path)


def test_a_full_disk_is_said_in_words(tmp_path):
    tracker = Tracker(tmp_path, "grpo", TrackingSpec())
    tracker.resume(0)
    tracker.close()

    def write(line):
        raise OSError(errno.ENOSPC, "No space left on device")

    tracker._file = SimpleNamespace(write=write)
    with pytest.raises(UserError, match="the disk is full"):
        tracker.log(1, {"loss": 1.0})


def test_a_resumed_stage_goes_on_with_its_run_and_a_new_folder_gets_another(tmp_path, monkeypatch):
    fake = FakeWandb(True)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    spec = TrackingSpec(wandb=True)
    track(tmp_path / "a", [1, 2], spec)
    track(tmp_path / "a", [2], spec, resumed=1)
    track(tmp_path / "b", [1], spec)
    ids = [run["id"] for run in fake.begun]
    assert ids[0] == ids[1] != ids[2]
    assert not any(str(tmp_path).strip("/").replace("/", "-") in name for name in ids)
    assert [run["mode"] for run in fake.begun] == ["online"] * 3
    assert fake.logged == [{"grpo/loss": float(step), "grpo/step": step} for step in (1, 2, 1)]  # step 2 once


def test_a_stage_that_starts_from_nothing_in_an_emptied_folder_gets_another_run(tmp_path, monkeypatch):
    fake = FakeWandb(True)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    for _ in range(2):
        track(tmp_path, [1], TrackingSpec(wandb=True))
        (tmp_path / "metrics.jsonl").unlink()
    assert fake.begun[0]["id"] != fake.begun[1]["id"]
    assert len(fake.logged) == 2


def test_wandb_that_is_asked_for_later_gets_what_was_logged_before(tmp_path, monkeypatch):
    fake = FakeWandb(True)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    track(tmp_path, [1, 2, 3], TrackingSpec())
    track(tmp_path, [3], TrackingSpec(wandb=True), resumed=2)
    assert [line["grpo/step"] for line in fake.logged] == [1, 2, 3]


def test_what_is_measured_on_a_split_keeps_its_name():
    assert named("grpo", "accuracy") == "grpo/accuracy"
    assert named("grpo", "accuracy/fr") == "grpo/accuracy/fr"
    assert named("grpo", "dev/accuracy") == "dev/accuracy"


def test_wandb_is_told_what_the_stage_depends_on(tmp_path, monkeypatch):
    fake = FakeWandb(True)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    (tmp_path / "inputs.json").write_text(json.dumps({"inputs": {"seed": 3}}))
    track(tmp_path, [], TrackingSpec(wandb=True))
    assert fake.begun[0]["config"] == {"inputs": {"seed": 3}}


def test_wandb_is_told_entity_name_tags_and_notes(tmp_path, monkeypatch):
    fake = FakeWandb(True)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    spec = TrackingSpec(wandb=True, entity="lab", name="pilot", tags=["swahili", "v2"], notes="with the new data")
    home = tmp_path / "grpo" / "seed3"
    WandbRun(home, "grpo", spec).close()
    WandbRun(home, "grpo", TrackingSpec(wandb=True)).close()
    keys = ("entity", "name", "tags", "notes")
    assert [fake.begun[0][key] for key in keys] == ["lab", "pilot", ["swahili", "v2"], "with the new data"]
    assert [fake.begun[1][key] for key in keys] == [None, "grpo-seed3", None, None]
    assert fake.begun[0]["id"] == fake.begun[1]["id"]


@pytest.mark.parametrize("answer", [False, FakeWandb.Error("no network")], ids=["no key", "no network"])
def test_wandb_that_cannot_be_reached_is_offline(tmp_path, monkeypatch, capsys, answer):
    fake = FakeWandb(answer)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    track(tmp_path, [1], TrackingSpec(wandb=True))
    assert fake.begun == []  # the end of the command exports the run
    run = WandbRun(tmp_path, "grpo", TrackingSpec(wandb=True), shared=True, export=True)
    backfill(run, tmp_path, 100, {})
    assert [arguments["mode"] for arguments in fake.begun] == ["offline"]
    assert fake.logged == [{"grpo/loss": 1.0, "grpo/step": 1}]
    assert ("W&B is offline (no network)" in capsys.readouterr().out) is isinstance(answer, Exception)
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == 1


def test_a_metric_needs_an_entry(tmp_path):
    require("accuracy/fr")
    with pytest.raises(UnknownMetric, match="Did you mean 'accuracy'"):
        require("acuracy")
    with pytest.raises(UnknownMetric):
        require("loss/fr")  # not kept by language


def test_a_tracker_resumes_without_doubles_or_torn_lines(tmp_path):
    first = Tracker(tmp_path, "grpo", TrackingSpec())
    first.resume(0)
    for step in (1, 2, 3):
        first.log(step, {"loss": float(step)})
    first.close()
    with (tmp_path / "metrics.jsonl").open("a") as handle:
        handle.write('{"step": 4, "lo')
    again = Tracker(tmp_path, "grpo", TrackingSpec())
    again.resume(2)
    again.log(3, {"loss": 30.0})
    again.close()
    assert [(line["step"], line["loss"]) for line in read_metrics(tmp_path / "metrics.jsonl")] == [
        (1, 1),
        (2, 2),
        (3, 30),
    ]


def test_a_history_that_lost_steps_says_so_when_it_goes_on(tmp_path, capsys):
    track(tmp_path, [1, 2, 3, 4], TrackingSpec())
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "metrics.jsonl").write_text(lines[0] + lines[3] + "7")  # a number is no line of metrics
    track(tmp_path, [5], TrackingSpec(), resumed=4)
    assert "metrics.jsonl lacks the steps 2-3" in capsys.readouterr().err
    (tmp_path / "metrics.jsonl").unlink()
    track(tmp_path, [6], TrackingSpec(), resumed=5)
    assert "metrics.jsonl lacks the steps 1-5" in capsys.readouterr().err


def test_a_line_in_the_middle_that_is_no_object_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n5\n{"step": 3}\n')
    with pytest.raises(UserError, match=r"metrics.jsonl, line 2: every line but the last must be JSON \(not an object"):
        read_metrics(tmp_path / "metrics.jsonl")

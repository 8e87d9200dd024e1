"""Runs that build on others: what is read and refused, in which order they go, and what a failure leaves."""

from pathlib import Path

import pytest
import yaml

from src.commands.launch import main
from src.common.errors import UserError
from src.config.compose import compose as compose_lines
from src.config.directory import directory_of
from src.orchestration import suite
from src.orchestration.arms import Arm, RunsSpec, ancestors, ordered
from src.orchestration.chain import Made, overrides_of
from src.orchestration.jobs import Job, Runs, Task

SELECT = {"name": "select", "experiment": "prompts", "from": "sft"}
SOURCES = ["prompts.sources=[world@train]", "prompts.difficulty.rollouts=4"]


def arms_of(*entries):
    return [Arm.read(entry, Path("runs.yaml")) for entry in entries]


def checked(*entries, overrides=SOURCES, **more):
    """The jobs of the first seed by name, with stand-ins for what is not there."""
    spec = RunsSpec("t", list(entries), overrides=list(overrides), **more)
    return {job.name: job for job in Runs(spec, "laptop", "runs").check()}


def test_links_are_names_or_lists_of_names():
    entry = {"name": "c", "experiment": "grpo", "from": "a", "data_from": ["b", "a"]}
    (arm,) = arms_of(entry)
    assert (arm.start, arm.data, arm.sources) == (("a",), ("b", "a"), ("a", "b"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            ["sft", {"name": "x", "experiment": "grpo", "from": "stf"}],
            "x: from names 'stf', which is no arm. Did you mean 'sft'",
        ),
        (
            ["sft", {"name": "x", "experiment": "grpo", "data_from": "selected"}, SELECT],
            "data_from names 'selected', which is no arm. Did you mean 'select'",
        ),
        ([{"name": "x", "experiment": "grpo", "from": "x"}], "x: from must name another arm; got the arm itself"),
        (["sft", {"name": "x", "experiment": "merge", "from": ["sft", "sft"]}], "x: from must name each arm once"),
        (
            ["sft", {"name": "x", "experiment": "grpo", "from": 3}],
            "from must be the name of an arm, or a list of names; got 3",
        ),
        (
            ["sft", {"name": "x", "experiment": "grpo", "data_from": []}],
            r"data_from must be the name of an arm, or a list of names; got \[\]",
        ),
        (["sft", {"name": "sft", "experiment": "grpo", "from": "sft"}], "more than one is called 'sft'"),
        (
            ["sft", {"name": "x", "experiment": "grpo", "form": "sft"}],
            "unknown field 'form' in experiments. Did you mean 'from'",
        ),
    ],
)
def test_links_that_lead_nowhere_are_named(tmp_path, entries, message):
    (tmp_path / "runs.yaml").write_text(yaml.safe_dump({"title": "x", "experiments": entries}))
    with pytest.raises(UserError, match=message):
        RunsSpec.read(tmp_path / "runs.yaml")


def test_a_circle_is_named_without_what_only_leads_to_it():
    links = {"out": "a", "a": "c", "b": "a", "c": "b", "free": None}
    arms = [Arm(name, "grpo", start=(source,) if source else ()) for name, source in links.items()]
    with pytest.raises(UserError, match="got a -> c -> b -> a$"):
        ordered(arms)
    with pytest.raises(UserError, match="got s -> t -> s$"):
        ordered([Arm("s", "prompts", start=("t",)), Arm("t", "grpo", data=("s",))])


def test_sources_come_first_and_the_rest_stays_in_place():
    arms = [
        Arm("c", "grpo", start=("b",), data=("d",)),
        Arm("b", "grpo", start=("a",)),
        Arm("a", "sft"),
        Arm("d", "prompts"),
    ]
    assert [arm.name for arm in ordered(arms)] == ["a", "b", "d", "c"]
    assert [arm.name for arm in ancestors(arms[0], arms)] == ["a", "b", "d"]
    assert ancestors(arms[2], arms) == []


def test_answers_of_another_arm_are_taken_by_a_mix_that_takes_them():
    samples = SELECT | {"overrides": ["prompts.difficulty.samples=1", "prompts.difficulty.rollouts=2"]}
    taken = {"experiment": "sft", "overrides": ["mix=xrft"]}
    jobs = checked(
        *("sft", samples, {"name": "g", "experiment": "grpo", "from": "sft"}),
        *(taken | {"name": "of prompts", "data_from": "select"}, taken | {"name": "of rollouts", "data_from": "g"}),
    )
    file = jobs["select"].directory / "prompts" / "samples.jsonl"
    assert f"data.samples={file}" in jobs["of prompts"].overrides
    assert f"data.samples={jobs['g'].directory / 'grpo' / 'rollouts'}" in jobs["of rollouts"].overrides
    with pytest.raises(UserError, match="none of sft, evaluate, report reads the answers of g"):
        checked("sft", {"name": "g", "experiment": "grpo"}, {"name": "x", "experiment": "sft", "data_from": "g"})


def test_rounds_of_selection_and_training_are_connected():
    second = SELECT | {"name": "select again", "from": "first"}
    jobs = checked(
        "sft",
        SELECT,
        {"name": "first", "experiment": "grpo", "from": "sft", "data_from": "select"},
        second,
        {"name": "second", "experiment": "grpo", "from": "first", "data_from": "select again"},
    )
    given = ("scale=laptop", "root=runs", *SOURCES)
    own = {name: job.overrides[len(given) :] for name, job in jobs.items()}
    prompts, again = (jobs[name].directory / "prompts" / "prompts.jsonl" for name in ("select", "select again"))
    assert own["sft"] == ()
    assert own["select"] == (f"model.path={jobs['sft'].directory}/sft/model", "pretrain.from_scratch=false")
    assert own["first"] == (*own["select"], "stages=[grpo,evaluate,report]", f"data.prompts={prompts}")
    start = (f"model.path={jobs['first'].directory}/grpo/model", "pretrain.from_scratch=false")
    assert own["select again"] == start
    assert own["second"] == (*start, "stages=[grpo,evaluate,report]", f"data.prompts={again}")
    assert all(job.directory == directory_of(job.arguments) for job in jobs.values())
    assert len({job.directory for job in jobs.values()}) == 5


def test_another_source_is_another_directory():
    def second(*overrides):
        first = {"name": "first", "experiment": "grpo", "overrides": list(overrides)}
        return checked(first, {"name": "second", "experiment": "grpo", "from": "first"})["second"].directory

    assert second("grpo.steps=3") == second("grpo.steps=3") != second("grpo.steps=4")


def test_what_comes_from_another_arm_stands_above_what_all_have():
    shared = ["model.path=hub/base", "pretrain.from_scratch=true", "stages=[sft,grpo]"]
    job = checked("sft", {"name": "x", "experiment": "grpo", "from": "sft"}, overrides=shared)["x"]
    node = compose_lines(job.arguments).node
    assert node.model.path.endswith("/sft/model") or node.model.path.endswith("/grpo/model")
    assert (node.pretrain.from_scratch, list(node.stages)) == (False, ["sft", "grpo"])


@pytest.mark.parametrize(
    ("experiment", "stages", "trained", "left"),
    [
        ("grpo", "sft grpo evaluate", "sft", "grpo evaluate"),
        ("grpo", "sft grpo evaluate", "sft grpo", "grpo evaluate"),
        ("grpo", "sft grpo evaluate", "pretrain", "sft grpo evaluate"),  # the base model: nothing is left out
        ("sft", "sft evaluate", "sft", "sft evaluate"),  # SFT after SFT, on other data
        ("evaluate", "evaluate report", "sft grpo", "evaluate report"),
    ],
)
def test_a_training_stage_that_the_model_went_through_is_not_repeated(experiment, stages, trained, left):
    arm = Arm("x", experiment, start=("s",))
    own = overrides_of(arm, stages.split(), (), {"s": Made("m", frozenset(trained.split()), {})})
    text = f"stages=[{left.replace(' ', ',')}]"
    assert own == ("model.path=m", "pretrain.from_scratch=false", *([text] if stages != left else []))


def test_models_are_merged_where_the_experiment_merges():
    made = {"a": Made("runs/a/model", frozenset({"sft"}), {}), "b": Made("runs/b c/model", frozenset({"sft"}), {})}
    for arm, stages in (
        (Arm("x", "merge_ties", start=("a", "b")), ["evaluate"]),
        (Arm("x", "soup", start=("a", "b")), ["merge", "evaluate"]),
    ):
        assert overrides_of(arm, stages, (), made) == ('merge.models=[runs/a/model,"runs/b c/model"]',)
    one = overrides_of(Arm("x", "merge_ties", start=("a",)), ["merge"], (), made)
    assert one == ("merge.models=[runs/a/model]",)
    with pytest.raises(UserError, match="from must name one arm, unless the experiment merges models; got a, b"):
        overrides_of(Arm("x", "grpo", start=("a", "b")), ["grpo"], (), made)


def test_data_goes_to_the_stage_that_reads_it(tmp_path):
    def own(experiment, stages, *names):
        made = {
            "p": Made("", frozenset(), {"prompts": Path("p")}),
            "q": Made("", frozenset(), {"prompts": Path("q")}),
            "t": Made("", frozenset(), {"traces": tmp_path}),
        }
        return overrides_of(Arm("x", experiment, data=names), stages.split(), (), made)

    assert own("grpo", "sft grpo", "p") == ("data.prompts=p/prompts.jsonl",)
    assert own("traces", "traces", "p") == ("traces.questions=[p/prompts.jsonl]",)
    assert own("prompts", "prompts", "p", "q") == ("prompts.sources=[p/prompts.jsonl,q/prompts.jsonl]",)
    assert own("sft", "sft", "t") == (f"data.sft={tmp_path}/sft.jsonl", "data.validation=null")
    (tmp_path / "validation.jsonl").touch()
    both = own("grpo", "sft grpo", "t", "p")
    assert both[1:] == (f"data.validation={tmp_path}/validation.jsonl", "data.prompts=p/prompts.jsonl")
    with pytest.raises(UserError, match="must name one arm that makes data.prompts; got p, q"):
        own("grpo", "grpo", "p", "q")
    with pytest.raises(UserError, match="none of grpo, evaluate reads the traces of t"):
        own("grpo", "grpo evaluate", "t")


CHOOSE = {"choose": {"schedule.maximum": [1, 2]}}
GRPO = {"name": "x", "experiment": "grpo"}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            ["sft", SELECT, GRPO | {"from": "select"}],
            "x: from must name an arm that trains or evaluates a model; select does neither",
        ),
        (["sft", GRPO | {"data_from": "sft"}], "x: data_from must name an arm that makes data"),
        (
            ["sft", SELECT, {"name": "x", "experiment": "sft", "data_from": "select"}],
            "x: data_from must .* reads the prompts of select",
        ),
        (["sft", "grpo", GRPO | {"from": ["sft", "grpo"]}], "x: from must name one arm, unless the experiment merges"),
        (
            ["sft", {"name": "x", "experiment": "pretrain", "from": "sft"}],
            "x: from must not be given where stage pretrain",
        ),
        (["sft", GRPO | {"from": "sft", "overrides": ["model.path=m"]}], "x: model.path comes from another arm"),
        (
            ["sft", SELECT | {"overrides": ["prompts.difficulty.rollouts=0"]}],
            "select: from must not be given where no stage works",
        ),
        (
            ["sft", SELECT, GRPO | {"data_from": "select", "overrides": ["+data.prompts=m"]}],
            "x: data.prompts comes from another arm",
        ),
        (
            [{"name": "s", "experiment": "grpo", **CHOOSE}, GRPO | {"from": "s", **CHOOSE}],
            "x: choose must not stand in an arm that builds on another with a choice; s has one",
        ),
        (
            ["sft", SELECT | {"choose": {"prompts.problems": [2, 3]}}],
            "select: choose needs stage evaluate; got prompts",
        ),
    ],
)
def test_arms_that_do_not_fit_each_other_are_refused_before_anything_runs(tmp_path, capsys, entries, message):
    content = {"title": "x", "experiments": entries, "overrides": SOURCES}
    (tmp_path / "runs.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=message):
        checked(*entries)
    assert main([str(tmp_path), "--root", str(tmp_path / "runs")]) == 2
    assert not (tmp_path / "runs").exists()


def test_only_what_is_evaluated_is_compared():
    with pytest.raises(UserError, match="compared must be an arm that is evaluated; select has prompts"):
        checked("sft", SELECT, compared="select")


def test_a_dry_run_lists_the_arms_in_order_and_starts_nothing(tmp_path, capsys):
    entries = [{"name": "first", "experiment": "grpo", "from": "sft", "data_from": "select"}, SELECT, "sft"]
    content = {"title": "x", "experiments": entries, "overrides": SOURCES, "seeds": [1, 2]}
    (tmp_path / "runs.yaml").write_text(yaml.safe_dump(content))
    assert main([str(tmp_path), "--root", str(tmp_path / "runs"), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "sft     sft (sft, evaluate, report)",
        "select  prompts (prompts); from sft",
        "first   grpo (grpo, evaluate, report); from sft; data from select",
        "3 arms x 2 seeds = 6 runs",
    ]
    assert not (tmp_path / "runs").exists()


def test_tuning_needs_what_the_chosen_arm_builds_on():
    chosen = {"name": "b", "experiment": "grpo", "from": "a", **CHOOSE}
    spec = RunsSpec("t", ["sft", {"name": "a", "experiment": "grpo"}, chosen, GRPO | {"from": "b"}], seeds=[5, 6, 7])
    tasks = Runs(spec, "laptop", "runs").tuning_tasks()
    assert [(task.name, task.seed, task.after) for task in tasks] == [
        *[("a", 5, ()), ("a", 6, ())],
        *[("b", 5, (0,)), ("b", 6, (1,)), ("b", 5, (0,)), ("b", 6, (1,))],
    ]
    # Afterwards the arm that builds on the chosen one builds on what was chosen.
    places = []
    for value in (1, 2):
        runs = Runs(spec, "laptop", "runs", {"b": (f"schedule.maximum={value}",)})
        assert [task.after for task in runs.tasks()][-3:] == [(6,), (7,), (8,)]
        places.append([job.directory for job in runs.check()])
    assert [mine == other for mine, other in zip(*places, strict=True)] == [True, True, False, False]


class ScriptedPool:
    """Every run ends when it is asked for; those of `bad` fail. `log` holds what was at work together."""

    bad: frozenset[str] = frozenset()
    log: tuple[list[str], ...] = ()

    def __init__(self):
        self.at_work = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert not self.at_work

    @property
    def running(self):
        return list(self.at_work)

    def start(self, number, arguments, directory, environment):
        directory.mkdir(parents=True)
        (directory / "log.txt").write_text("its last line\n")
        self.at_work[number] = directory.name

    def ended(self):
        type(self).log += (sorted(self.at_work.values()),)
        ended = {number: name not in self.bad for number, name in self.at_work.items()}
        self.at_work = {}
        return ended


@pytest.fixture
def carry_out(tmp_path, monkeypatch):
    """`carry_out(bad, links, at_once)`: names -> those they wait for; what was at work together, and the jobs or None."""

    def carry_out(bad, links, at_once):
        pool = type("Pool", (ScriptedPool,), {"bad": frozenset(bad)})
        monkeypatch.setattr(suite, "Pool", pool)
        monkeypatch.setattr(suite, "POLL_S", 0)
        names = list(links)

        def task(name):
            job = Job(name, "grpo", 3, (), tmp_path / name)
            return Task(name, 3, lambda: job, tuple(names.index(source) for source in links[name]))

        jobs = suite.all_finished([task(name) for name in names], at_once)
        return tuple(together for together in pool.log if together), jobs

    return carry_out


DIAMOND = {"d": "bc", "b": "a", "c": "a", "a": "", "e": ""}


def test_runs_wait_for_their_sources_and_not_for_others(carry_out):
    log, jobs = carry_out("", DIAMOND, 2)
    assert log == (["a", "e"], ["b", "c"], ["d"])
    assert [job.name for job in jobs] == list(DIAMOND)


def test_what_builds_on_a_failure_is_left_out_and_the_others_go_on(carry_out, capsys):
    log, jobs = carry_out("b", DIAMOND, 1)
    assert log == (["a"], ["b"], ["c"], ["e"])
    assert jobs is None
    shown = capsys.readouterr().err
    assert "error: b seed 3 failed:\n  its last line" in shown
    assert "not started: d seed 3, which builds on b seed 3\n" in shown
    assert shown.count("not started") == 1


def test_the_failure_is_named_through_arms_that_were_not_started(carry_out, capsys):
    log, _ = carry_out("a", DIAMOND | {"f": "d"}, 4)
    assert log == (["a", "e"],)
    shown = capsys.readouterr().err
    for name in "dbcf":
        assert f"not started: {name} seed 3, which builds on a seed 3\n" in shown


def test_a_job_that_cannot_be_made_is_a_failure(tmp_path, monkeypatch, capsys):
    def fail():
        raise UserError("x: no model there")

    monkeypatch.setattr(suite, "Pool", ScriptedPool)
    tasks = [Task("x", 0, fail), Task("y", 0, fail, (0,))]
    assert suite.all_finished(tasks, 2) is None
    shown = capsys.readouterr().err
    assert "error: x seed 0 failed:\n  x: no model there" in shown
    assert "not started: y seed 0, which builds on x seed 0" in shown


def test_an_arm_that_trains_none_leaves_the_model_that_it_evaluates():
    merged = {"name": "merged", "experiment": "merge", "from": ["base", "sft"]}
    jobs = checked(
        "base", {"name": "sft", "experiment": "sft", "from": "base"}, merged, overrides=["model.path=org/name"]
    )
    assert "model.path=org/name" in jobs["sft"].overrides
    start = next(text for text in jobs["merged"].overrides if text.startswith("merge.models="))
    assert start.startswith("merge.models=[org/name,")


def test_a_base_that_is_made_first_is_what_others_start_from():
    jobs = checked(
        "base", {"name": "sft", "experiment": "sft", "from": "base"}, overrides=["pretrain.from_scratch=true"]
    )
    given = jobs["sft"].overrides
    assert "pretrain.from_scratch=false" in given and any(t.endswith("pretrain/model") for t in given)


def test_overrides_of_a_scale_stand_between_those_of_the_file_and_of_the_command_line(tmp_path):
    content = {
        "title": "t",
        "experiments": ["sft"],
        "overrides": ["sft.epochs=1"],
        "scales": {"tiny": ["sft.epochs=2"]},
    }
    path = tmp_path / "runs.yaml"
    path.write_text(yaml.safe_dump(content))
    spec = RunsSpec.read(path)

    def given(scale, *overrides):
        return Runs(spec.with_given(scale, None, overrides), scale, "runs").given

    assert given("tiny", "sft.epochs=3") == ("sft.epochs=1", "sft.epochs=2", "sft.epochs=3")
    assert given("laptop", "sft.epochs=3") == ("sft.epochs=1", "sft.epochs=3")
    path.write_text(yaml.safe_dump(content | {"scales": {"tyni": []}}))
    with pytest.raises(UserError, match="scales names 'tyni', which is no scale. Did you mean 'tiny'"):
        RunsSpec.read(path)

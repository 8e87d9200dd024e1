"""Sweep files: each composes, metrics are measured, W&B's rules are kept, and what is wrong with a file is said."""

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.common.errors import UserError
from src.config import schema
from src.config.compose import composed
from src.orchestration.sweep.driver import merged
from src.orchestration.sweep.early import signals, table
from src.orchestration.sweep.file import Early, read
from src.orchestration.sweep.hyperband import trials_to_stop
from src.orchestration.sweep.parameter import written
from src.orchestration.sweep.search import Observation, importance, overrides, sample_points, suggest
from src.tracking.glossary import require
from tests.helpers.paths import ROOT

FILES = sorted((ROOT / "sweeps").glob("*.yaml"))
TRIED = 3  # points of each file that are composed, beside its corners and options


def sweep(tmp_path, **changes):
    """A sweep file of two settings with `changes`; a value None leaves a field out."""
    content = {
        "program": "src.run",
        "method": "bayes",
        "metric": {"name": "dev/accuracy", "goal": "maximize"},
        "parameters": {"schedule": {"values": ["cosine", "linear"]}, "schedule.maximum": {"min": 0.5, "max": 4.0}},
        "command": ["${env}", "python", "-m", "${program}", "+experiment=adamame_grpo", "${args_no_hyphens}"],
    } | changes
    path = tmp_path / "some.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


def one_parameter(**fields):
    """The change of a sweep file to a single parameter `a` with these fields."""
    return {"parameters": {"a": fields}}


def hyperband(**fields):
    """The change of a sweep file to an early stop by these fields."""
    return {"early_terminate": {"type": "hyperband", **fields}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_sweep_composes(path):
    plan = read(path)
    points = [suggest(plan, [Observation({}, None)] * k if plan.method == "grid" else [], k) for k in range(TRIED)]
    ranges = [parameter for parameter in plan.parameters if not parameter.options]
    points += [points[0] | {p.name: p.low for p in ranges}, points[0] | {p.name: p.high for p in ranges}]
    points += [points[0] | {p.name: option} for p in plan.parameters for option in p.options]
    for point in points:
        built = composed((*plan.fixed, *overrides(plan, point)))
        split, _, metric = plan.metric.partition("/")
        assert split in built.evaluation.splits and "evaluate" in built.stages
        assert plan.early is None or built.evaluation.every > 0
    require(f"{split}/{metric}")


def test_there_is_a_grid_a_random_and_a_bayesian_search():
    assert {read(path).method for path in FILES} == {"grid", "random", "bayes"}


def test_every_language_has_a_maximum_of_its_own():
    names = [parameter.name for parameter in read(ROOT / "sweeps" / "per_language.yaml").parameters]
    codes = schema.EvaluationSpec().languages
    assert len(codes) == 12 and set(names) >= {f"schedule.per_language.{code}.maximum" for code in codes}


def test_a_file_is_read(tmp_path):
    plan = read(sweep(tmp_path, run_cap=7, early_terminate={"type": "hyperband", "min_iter": 3, "eta": 2}))
    assert (plan.name, plan.method, plan.metric, plan.goal, plan.run_cap) == (
        "some",
        "bayes",
        "dev/accuracy",
        "maximize",
        7,
    )
    assert plan.fixed == ("+experiment=adamame_grpo",)
    assert plan.early is not None and plan.early.bands[:3] == (3, 6, 12) and plan.early.eta == 2
    assert (plan.parameters[0].options, plan.parameters[1].low) == (("cosine", "linear"), 0.5)


def test_bands_below_the_longest_run(tmp_path):
    early = {"type": "hyperband", "max_iter": 27, "s": 2}
    assert read(sweep(tmp_path, early_terminate=early)).early == Early((3, 9), 3.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"method": "bayse"},
            r"some.yaml breaks these rules:\n  - method: must be one of grid, random, bayes; got 'bayse'",
        ),
        ({"methode": "grid"}, "methode: no such field. Did you mean 'method'"),
        ({"metric": None}, "metric: must have a name"),
        ({"metric": None, "method": "random"} | hyperband(min_iter=1), "metric: must have a name"),
        ({"metric": {"name": "dev/accuracy", "impute": "best"}}, "metric.impute: no such field here"),
        ({"name": 7}, "name: must be a text; got 7"),
        ({"job": "me/search/job:latest"}, "job: is of W&B Launch, .* cluster=slurm_"),
        ({"scheduler": {"engine": "optuna"}}, "scheduler: is of W&B Launch"),
        ({"method": "custom"}, "method: must be one of grid, random, bayes; got 'custom'"),
        (
            {"metric": {"name": "dev/accuracy", "goal": "max"}},
            "metric.goal: must be one of maximize, minimize; got 'max'",
        ),
        ({"metric": {"name": "dev/accuracy", "target": "0.9"}}, "metric.target: must be a number; got '0.9'"),
        ({"program": "train.py"}, "program: must be src.run; got 'train.py'"),
        ({"run_cap": 0}, "run_cap: must be a number of trials, at least 1; got 0"),
        ({"run_cap": True}, "run_cap: must be a number of trials, at least 1; got True"),
        (
            {"command": ["${program}", "${args_no_hyphens}", "schedule=constant"]},
            r"command: 'schedule=constant' stands after \$\{args_no_hyphens\} and so is what counts",
        ),
        ({"command": ["${program}", *["${args_no_hyphens}"] * 2]}, r"has \$\{args_no_hyphens\} once"),
        ({"command": None}, r"command: must be a list .* has \$\{args_no_hyphens\} once"),
        ({"command": ["${program}", "${args}"]}, "command: must be a list"),
        ({"command": ["bash", "${args_no_hyphens}"]}, "command: 'bash' is not known here"),
        ({"parameters": None}, "parameters: must map settings to their values; got None"),
        ({"parameters": {"seed": 3}}, "parameters.seed: must have value, values, or min and max; got 3"),
        ({"parameters": {"seed": {"values": []}}}, "parameters.seed: values must be a list with something in it"),
        ({"parameters": {"seed": {"values": [1, 1]}}}, "parameters.seed: values must differ; 1 is there twice"),
        (one_parameter(value="x,y"), r"parameters.a: a value must be one to Hydra too; got x,y. Put quotes into it"),
        (one_parameter(values=["x", "y=1"]), "parameters.a: a value must be one to Hydra too; got y=1"),
        (one_parameter(values=["a", "b"], probabilities=[0.5, 0.6]), "one for each of 2 values and sum to 1"),
        (one_parameter(values=["a", "b"], probabilities=[1.0]), "one for each of 2 values and sum to 1"),
        (one_parameter(values=["a", "b"], probabilities=[1.5, -0.5]), "probabilities must be a list of numbers, 0 or"),
        (one_parameter(values=["a", "b"], probabilities=[0.5, 0.5]) | {"method": "grid"}, "leave out probabilities"),
        (one_parameter(min=0.0, max=float("inf")), "parameters.a: min and max must be numbers; got 0.0 and inf"),
        (one_parameter(distribution="q_uniform", min=0, max=1, q=0), "parameters.a: q must be above 0; got 0"),
        (one_parameter(distribution="q_uniform", min=0, max=1, q="x"), "parameters.a: q must be above 0; got 'x'"),
        (one_parameter(min=2.0, max=1.0), "parameters.a: min must be below max; got 2.0 and 1.0"),
        (one_parameter(min="1e-5", max=1.0), r"parameters.a: min and max must be numbers; .*write 1e-5 as 1.0e-5"),
        (one_parameter(distribution="log_uniform_values", min=0, max=1), "must be above 0; got 0"),
        (one_parameter(distribution="q_log_uniform_values", min=0, max=1), "must be above 0; got 0"),
        (one_parameter(distribution="inv_log_uniform_values", min=-1, max=1), "must be above 0; got -1"),
        (one_parameter(distribution="log_uniform", min=1, max=2), "exponents .* use log_uniform_values"),
        (one_parameter(distribution="gamma"), "parameters.a: distribution must be one of constant"),
        (one_parameter(mu=0, sigma=1), "parameters.a: distribution must be one of constant"),
        (one_parameter(distribution="normal", sigma=0), "parameters.a: sigma must be above 0; got 0"),
        (one_parameter(distribution="normal", mu="1e-5"), "parameters.a: mu must be a number; got '1e-5'"),
        (one_parameter(distribution="beta", a=-1), "parameters.a: a must be above 0; got -1"),
        (one_parameter(distribution="q_normal", q=0), "parameters.a: q must be above 0; got 0"),
        (one_parameter(distribution="normal", min=0), "parameters.a: normal takes mu, sigma; got min"),
        (one_parameter(min=0.0, max=1.0, q=1), "parameters.a: uniform takes min, max; got q"),
        (one_parameter(distribution="uniform", min=0.0), "parameters.a: uniform needs max"),
        (one_parameter(parameters={}), "parameters.a: nested parameters must be a mapping of settings"),
        (one_parameter(parameters={"b": {"value": 1}}, value=2), "parameters.a: nested parameters .* stand alone"),
        ({"parameters": {"a.b": {"value": 1}, "a": {"parameters": {"b": {"value": 2}}}}}, "a.b: is there twice"),
        ({"method": "grid", "parameters": {"a": {"distribution": "normal"}}}, "parameters.a: a grid needs values"),
        ({"method": "grid"}, "parameters.schedule.maximum: a grid needs values"),
        ({"early_terminate": {"type": "median"}}, "early_terminate: type must be hyperband"),
        (hyperband(), "early_terminate: needs min_iter, or max_iter and s"),
        (hyperband(min_iter=1, eta=1), "early_terminate.eta: must be above 1; got 1"),
        (hyperband(min_iter=1, eta=float("inf")), "early_terminate.eta: must be above 1; got inf"),
        (hyperband(min_iter=1, strict="no"), "early_terminate.strict: must be true or false; got 'no'"),
        (hyperband(max_iter=9, s="two"), "early_terminate: needs min_iter, or max_iter and s, whole"),
        (hyperband(min_iter=2, max_iter=9), "early_terminate: needs min_iter, or max_iter and s"),
        (hyperband(max_iter=9, s=0), "early_terminate: needs min_iter, or max_iter and s"),
        (hyperband(max_iter=2, s=3), "early_terminate: no band is left of max_iter 2 with eta 3"),
        (hyperband(miniter=1), "early_terminate.miniter: no such field. Did you mean 'min_iter'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        read(sweep(tmp_path, **changes))


@pytest.mark.parametrize(
    ("entry", "texts"),
    [
        # shares 0, 1/4, 1/2, 1 of what is searched
        ({"distribution": "q_log_uniform_values", "min": 2, "max": 32, "q": 4}, ["0", "4", "8", "32"]),
        ({"distribution": "q_uniform", "min": 0.1, "max": 0.5, "q": 0.25}, ["0", "0.25", "0.25", "0.5"]),
        ({"distribution": "q_uniform", "min": 1, "max": 3, "q": 5}, ["0", "0", "0", "5"]),
        ({"distribution": "beta"}, ["0", "0.25", "0.5", "1"]),
        ({"distribution": "q_beta", "q": 0.5}, ["0", "0", "0.5", "1"]),
        ({"values": ["x", "y", "z"], "probabilities": [0.25, 0.75, 0.0]}, ["x", "y", "y", "y"]),
    ],
    ids=str,
)
def test_shares_of_a_distribution_by_hand(tmp_path, entry, texts):
    (parameter,) = read(sweep(tmp_path, parameters={"a": entry})).parameters
    assert (parameter.low, parameter.high) == (0.0, 1.0)
    assert [parameter.text(share) for share in (0.0, 0.25, 0.5, 1.0)] == texts


def test_normal_distributions_by_hand(tmp_path):
    """Half of the probability is below the mean, 0.977250 below two standard deviations more. Nothing is searched in tails."""
    shapes = {"n": "normal", "q": "q_normal", "l": "log_normal", "m": "q_log_normal"}
    given = {name: {"distribution": kind, "mu": 2, "sigma": 0.5} for name, kind in shapes.items()}
    plan = read(sweep(tmp_path, parameters=given))
    texts = {p.name: [p.text(share) for share in (0.5, 0.9772498681)] for p in plan.parameters}
    assert texts == {"n": ["2", "3"], "q": ["2", "3"], "l": ["7.38906", "20.0855"], "m": ["7", "20"]}
    assert all((p.low, p.high) == (1e-4, 1 - 1e-4) for p in plan.parameters)


def test_an_inverse_logarithm_is_a_logarithm(tmp_path):
    given = {"a": {"distribution": "inv_log_uniform_values", "min": 0.01, "max": 1.0}}
    (parameter,) = read(sweep(tmp_path, parameters=given)).parameters
    assert parameter.logarithmic and (parameter.low, parameter.high) == (0.01, 1.0)


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_every_distribution_is_searched(tmp_path, method):
    given = {name: {"distribution": name} for name in ("normal", "q_normal", "log_normal", "q_log_normal", "beta")}
    given |= {
        "q": {"distribution": "q_log_uniform_values", "min": 1, "max": 64, "q": 8},
        "q_beta": {"distribution": "q_beta"},
    }
    given |= {"c": {"values": ["x", "y"], "probabilities": [0.9, 0.1]}}
    plan = read(sweep(tmp_path, method=method, parameters=given))
    known: list[Observation] = []
    for number in range(12):
        point = suggest(plan, known, 0)
        texts = dict(text.split("=") for text in overrides(plan, point))
        assert float(texts["q"]) % 8 == 0 and texts["c"] in ("x", "y") and 0 <= float(texts["beta"]) <= 1
        known.append(Observation(point, number / 10))
    assert sum(importance(plan, known).values()) == pytest.approx(1.0)


def test_probabilities_are_heeded(tmp_path):
    given = {"c": {"values": ["x", "y", "z"], "probabilities": [0.1, 0.8, 0.1]}}
    plan = read(sweep(tmp_path, method="random", parameters=given))
    drawn = [overrides(plan, suggest(plan, [], seed))[0] for seed in range(200)]
    assert 140 <= drawn.count("c=y") <= 180  # 160 expected, 5.7 standard deviation


def test_a_bayesian_search_finds_a_summit_of_a_normal_setting(tmp_path):
    plan = read(sweep(tmp_path, parameters={"a": {"distribution": "normal", "mu": 1.0, "sigma": 2.0}}))
    known: list[Observation] = []
    for _ in range(16):
        point = suggest(plan, known, 0)
        value = float(plan.parameters[0].text(point["a"]))
        known.append(Observation(point, -((value - 2.0) ** 2)))
    assert max(trial.value for trial in known[10:]) > -(0.05**2)


def test_nested_parameters_have_dots(tmp_path):
    inner = {"optimiser": {"parameters": {"learning_rate": {"min": 0.1, "max": 0.2}, "decay": {"value": "cosine"}}}}
    plan = read(sweep(tmp_path, parameters={"grpo": {"parameters": inner}, "seed": {"value": 1}}))
    assert {p.name for p in plan.parameters} == {"grpo.optimiser.learning_rate", "grpo.optimiser.decay", "seed"}


def test_what_wandb_alone_reads_is_let_be(tmp_path):
    own = {"name": "n", "description": "d", "project": "p", "entity": "e", "kind": "sweep", "apiVersion": "1"}
    assert read(sweep(tmp_path, **own, controller={"type": "local"})) == read(sweep(tmp_path))


def test_overrides_may_follow_what_varies(tmp_path):
    command = ["python3", "-m", "${program}", "seed=1", "${args_no_hyphens}", "+experiment=adamame_grpo", "root=r"]
    assert read(sweep(tmp_path, command=command)).fixed == ("seed=1", "+experiment=adamame_grpo", "root=r")


@pytest.mark.parametrize("text", ["it's", "You're right", 'say "yes"', "l'été", "'"])
def test_a_text_with_a_quotation_mark_reaches_hydra_as_it_is(tmp_path, text):
    (parameter,) = read(sweep(tmp_path, **one_parameter(value=text))).parameters
    assert OverridesParser.create().parse_override(f"a={parameter.options[0]}").value() == text


def test_a_grid_needs_no_metric(tmp_path):
    for method in ("grid", "random"):
        plan = read(sweep(tmp_path, method=method, metric=None, parameters={"seed": {"values": [1, 2]}}))
        assert plan.metric == ""


def test_a_target_by_goal(tmp_path):
    metric = {"name": "dev/accuracy", "target": 0.9}
    high, low = (read(sweep(tmp_path, metric=metric | {"goal": goal})) for goal in ("maximize", "minimize"))
    assert [high.reached(value) for value in (0.8, 0.9, 1.0)] == [False, True, True]
    assert [low.reached(value) for value in (0.8, 0.9, 1.0)] == [True, True, False]
    assert not read(sweep(tmp_path)).reached(1.0)


def test_min_iter_beside_max_iter_does_not_count(tmp_path):
    early = {"type": "hyperband", "min_iter": 4, "max_iter": 20, "s": 2, "eta": 2, "strict": False}
    assert read(sweep(tmp_path, early_terminate=early)).early == Early((5, 10), 2.0, False)


def test_bands_grow_until_no_run_comes_so_far(tmp_path):
    early = read(sweep(tmp_path, **hyperband(min_iter=10, eta=1.1))).early
    assert early is not None and early.bands[:4] == (10, 11, 12, 13) and 2000 <= early.bands[-1] < 2200


def test_what_identifies_a_sweep_is_as_it_was_without_distributions(tmp_path):
    held = read(sweep(tmp_path, metric={"name": "dev/accuracy", "target": 1})).identity()
    assert set(held) == {"name", "method", "metric", "goal", "parameters", "fixed", "early"}
    assert set(held["parameters"][1]) == {"name", "options", "low", "high", "step", "logarithmic", "whole"}


def test_no_file_and_no_mapping(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "some.yaml").write_text("[1, 2")
    with pytest.raises(UserError, match="must be YAML"):
        read(tmp_path / "some.yaml")
    (tmp_path / "some.yaml").write_text("just text")
    with pytest.raises(UserError, match="must hold fields .* got str"):
        read(tmp_path / "some.yaml")


def test_values_as_hydra_reads_them():
    assert [written(value) for value in (True, None, 0.1 + 0.2, 1e-5, 3, "cosine", [0.0, "a"])] == [
        "true",
        "null",
        "0.3",
        "1e-05",
        "3",
        "cosine",
        "[0.0,a]",
    ]
    assert written(3.0, whole=True) == "3"


def test_texts_inside_lists_stay_texts():
    """In quotes where Hydra would cut them up or take them for something else; the brackets are Hydra's own."""
    values = [["a", "a,b", "1", "true", "it's", 'say "x"'], [], {"k": "x y"}]
    texts = [written(value) for value in values]
    assert texts == ['[a,"a,b","1","true","it\'s","say \\"x\\""]', "[]", '{k:"x y"}']
    parser = OverridesParser.create()
    assert [parser.parse_override(f"key={text}").value() for text in texts] == values


def test_values_of_a_file_keep_their_digits_and_texts(tmp_path):
    """0.1234567 has seven digits; texts are Hydra's to read, as they are where W&B's agent passes them on."""
    values = [1234567.0, 0.1234567, 0.5, "[fr,en]", '"a,b"', "a b", ""]
    plan = read(sweep(tmp_path, parameters={"a": {"values": values}}))
    assert plan.parameters[0].options == ("1234567.0", "0.1234567", "0.5", "[fr,en]", '"a,b"', "a b", "")


def test_a_grid_goes_through_every_point_once(tmp_path):
    parameters = {"schedule": {"values": ["cosine", "linear"]}, "seed": {"min": 1, "max": 3}}
    grid = read(sweep(tmp_path, method="grid", parameters=parameters))
    assert grid.size() == 6
    points = [overrides(grid, suggest(grid, [Observation({}, None)] * k, 0)) for k in range(6)]
    assert points[:4] == [
        ("schedule=cosine", "seed=1"),
        ("schedule=cosine", "seed=2"),
        ("schedule=cosine", "seed=3"),
        ("schedule=linear", "seed=1"),
    ]
    assert len(set(points)) == 6


def test_some_points_of_a_grid_come_from_all_over_it(tmp_path):
    grid = read(sweep(tmp_path, method="grid", parameters={"a": {"values": ["x", "y"]}, "seed": {"min": 1, "max": 8}}))
    assert [overrides(grid, point) for point in sample_points(grid, 0)] == [
        (f"a={value}", f"seed={seed}") for value in "xy" for seed in (1, 3, 5, 7)
    ]


def test_a_grid_of_steps(tmp_path):
    half = {"distribution": "q_uniform", "min": 0.5, "max": 2.0, "q": 0.5}
    grid = read(sweep(tmp_path, method="grid", parameters={"schedule.maximum": half}))
    assert grid.parameters[0].values() == ("0.5", "1", "1.5", "2")
    third = half | {"min": 0.1, "max": 0.7, "q": 0.3}
    grid = read(sweep(tmp_path, method="grid", parameters={"schedule.maximum": third}))
    assert grid.parameters[0].values() == ("0.1", "0.4", "0.7") and grid.size() == 3


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_search_repeats_itself(tmp_path, method):
    plan = read(sweep(tmp_path, method=method))
    known = [Observation({"schedule": "cosine", "schedule.maximum": 0.5 + k / 10}, k / 20) for k in range(11)]
    known += [Observation({"schedule": "linear", "schedule.maximum": 2.0}, None)]  # which runs
    known += [Observation({"schedule": "linear", "schedule.maximum": 3.0}, None, failed=True)]
    first, second, other = (suggest(plan, known, seed) for seed in (0, 0, 1))
    assert first == second != other
    assert first["schedule"] in ("cosine", "linear") and 0.5 <= first["schedule.maximum"] <= 4.0


def test_a_bayesian_search_finds_a_summit(tmp_path):
    """(x - 2)^2 with its best value at 2, where a second setting changes nothing: after ten points at random, six more."""
    plan = read(sweep(tmp_path, metric={"name": "dev/accuracy", "goal": "minimize"}))
    known: list[Observation] = []
    for _ in range(16):
        point = suggest(plan, known, 0)
        known.append(Observation(point, (point["schedule.maximum"] - 2.0) ** 2))
    assert min(abs(trial.point["schedule.maximum"] - 2.0) for trial in known[10:]) < 0.05
    shares = importance(plan, known)
    assert shares["schedule.maximum"] > 0.9 and sum(shares.values()) == pytest.approx(1.0)
    assert importance(plan, known[:9]) == {}


def test_hyperband_by_hand():
    """At the first band three trials have losses 3, 1, 2: number floor(3 / 2) from 0 of 1, 2, 3 is 2, so 3 ends. At the
    second band only trials 1 and 2 are: number 1 of 0.5, 1.5 is 1.5, and both stay."""
    early = Early((1, 2), 2.0)
    values = {0: [3.0], 1: [1.0, 0.5], 2: [2.0, 1.5]}
    assert trials_to_stop(early, "minimize", values, [0, 1, 2]) == [0]
    assert trials_to_stop(early, "minimize", values, [1, 2]) == []  # those that have ended count, and are not stopped
    assert trials_to_stop(early, "maximize", {0: [3.0], 1: [1.0], 2: [2.0]}, [0, 1, 2]) == [1]
    assert trials_to_stop(early, "minimize", {0: []}, [0]) == []


def test_hyperband_holds_to_the_best_so_far_or_to_the_value_at_the_band():
    """Trial 0 fell back from 0 to 9; number floor(3 / 3) of 4, 5, 9 at band 2 is 5."""
    values = {0: [0.0, 9.0], 1: [5.0, 5.0], 2: [4.0, 4.0]}
    assert trials_to_stop(Early((2,), 3.0, strict=False), "minimize", values, [0, 1, 2]) == []
    assert trials_to_stop(Early((2,), 3.0), "minimize", values, [0, 1, 2]) == [0]


def test_what_is_given_later_counts():
    assert merged(("+experiment=grpo", "tracking=wandb", "seed=1"), ("tracking=jsonl", "experiment=sft", "root=r")) == (
        "experiment=sft",
        "tracking=jsonl",
        "seed=1",
        "root=r",
    )


def test_early_values_by_hand():
    """Ends 3, 2, 1: the first values 1, 2, 3 are upside down, the second ones in order; a third is there of two trials alone."""
    first, second = signals([[1.0, 9.0, 0.0], [2.0, 5.0, 0.0], [3.0, 4.0]], [3.0, 2.0, 1.0], "maximize")
    assert (first.iteration, first.trials, first.rank_of_best) == (1, 3, 3) and first.correlation == pytest.approx(-1.0)
    assert (second.rank_of_best, second.correlation) == (1, pytest.approx(1.0))
    assert "| 2 | 3 | 1.00 | 1 |" in table([first, second]).markdown()
    assert signals([[1.0], [2.0]], [1.0, 2.0], "maximize") == []
    (flat,) = signals([[1.0], [1.0], [1.0]], [1.0, 2.0, 3.0], "minimize")
    assert flat.correlation != flat.correlation and flat.rank_of_best == 1  # nobody was better


def test_the_rank_of_the_best_counts_those_that_were_better():
    """The final best, 9, had 2 then: one had 3, another 2 as well."""
    (signal,) = signals([[2.0], [2.0], [3.0], [1.0]], [9.0, 1.0, 2.0, 3.0], "maximize")
    assert signal.rank_of_best == 2

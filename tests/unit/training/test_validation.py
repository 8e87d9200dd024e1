"""Values on the way of GRPO: by hand, and that measuring them changes nothing."""

from dataclasses import replace

import pytest

from src.common.errors import ConfigError
from src.config.checks import check
from src.grading.grader import Grade, Status
from src.pipeline.execute import execute
from src.pipeline.plan import plan
from src.rewards.examples import sample
from src.tracking.glossary import UnknownMetric, require
from src.tracking.metrics_file import read_metrics
from src.training.validation import averages
from tests.helpers.configs import prepare


def answer(language, correct, inside, tokens):
    status = Status.RIGHT if correct else Status.WRONG
    made = sample(query_language=language, grade=Grade(status, "1", "boxed"), length=tokens)
    return replace(made, fidelity=replace(made.fidelity, in_language=inside))


def test_averages_by_hand():
    """French: 2 of 4 right, 3 in French, 1 both, 40 tokens; Swahili: 1 of 1 right, in another language, 80 tokens."""
    rows = [
        answer("fr", True, True, 10),
        answer("fr", True, False, 50),
        answer("fr", False, True, 50),
        answer("fr", False, True, 50),
    ]
    means = averages([*rows, answer("sw", True, False, 80)], 100)
    assert means == {
        "accuracy": pytest.approx((1 / 2 + 1) / 2),
        "fidelity": pytest.approx((3 / 4 + 0) / 2),
        "right_and_in_language": pytest.approx((1 / 4 + 0) / 2),
        "tokens": pytest.approx(60.0),
        "hypervolume": pytest.approx(0.75 * 0.375 * (1 - 60 / 100)),
    }


def test_measuring_on_the_way_changes_nothing_else(tmp_path, overrides):
    models, names = [], []
    for folder, more in (("plain", []), ("measured", ["evaluation.every=2", "evaluation.every_problems=1"])):
        texts = ["+experiment=adamame_grpo", *overrides, "stages=[sft,grpo]", "evaluation.splits=[dev]", *more]
        texts += [f"root={tmp_path / folder}", "evaluation.languages=[fr,en]"]
        built, directory = prepare(tmp_path / folder, *texts)
        execute(built, directory, directory / "config.yaml")
        models.append((directory / "grpo" / "model" / "model.safetensors").read_bytes())
        lines = read_metrics(directory / "grpo" / "metrics.jsonl")
        names.append([sorted(name for name in line if name.startswith("dev/")) for line in lines])
    assert models[0] == models[1]
    measured = [f"dev/{name}" for name in ("accuracy", "fidelity", "hypervolume", "right_and_in_language", "tokens")]
    assert names == [[[]] * 4, [[], measured, [], []]]  # after the last step stage evaluate follows


def test_measuring_on_the_way_is_no_other_evaluation(compose, tmp_path, overrides):
    def identities(*more):
        built = compose("+experiment=adamame_grpo", *overrides, *more)
        return [stage.identity for stage in plan(built, tmp_path)]

    assert identities() == identities("evaluation.every=3", "evaluation.every_problems=5")
    assert identities()[-2:] != identities("evaluation.problems=2")[-2:]


def test_what_is_measured_on_the_way_is_explained():
    require("dev/right_and_in_language")
    with pytest.raises(UnknownMetric):
        require("dev/loss")


@pytest.mark.parametrize("wrong", ["evaluation.every=-1", "evaluation.every_problems=0"])
def test_settings_that_make_no_sense_are_refused(compose, overrides, wrong):
    built = compose("+experiment=adamame_grpo", *overrides, wrong)
    with pytest.raises(ConfigError, match=wrong.split("=")[0]):
        check(built)

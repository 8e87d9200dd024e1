"""Rounds of sampling: which prompts a step draws, which groups it trains on, and what survives an interruption."""

import json
import re
from collections import Counter

import pytest
import torch
from test_stages import prepare

from src.reporting.glossary import require
from src.reporting.rollouts import read_rollouts
from src.reporting.tracker import read_metrics
from src.rollout.scripted import ScriptedEngine
from src.stages import grpo
from src.stages.grpo import minibatches, with_contrast
from src.stages.pipeline import execute
from src.stages.sample import draw
from src.stages.supervised import order

STEPS, PER_STEP, COMPLETIONS = 4, 4, 4


class Group:
    """All that choosing groups asks of a rollout."""

    def __init__(self, group):
        self.group = group


def test_the_first_round_is_the_epoch_and_later_ones_repeat_no_prompt_while_others_are_left():
    for step in range(5):
        rounds = [draw(10, step, number, 4, seed=1) for number in range(3)]
        assert rounds[0] == order(10, step, 4, 1)
        if len(set(rounds[0])) == 4:  # no epoch ends within
            assert len(set(rounds[0] + rounds[1])) == 8
            assert set(rounds[0] + rounds[1] + rounds[2]) == set(range(10))
    assert draw(10, 0, 1, 4, seed=1) != draw(10, 1, 1, 4, seed=1) != draw(10, 1, 1, 4, seed=2)
    times = Counter(i for number in range(3) for i in draw(2, 0, number, 4, seed=0))
    assert times == {0: 6, 1: 6}  # fewer questions than prompts in a step


def test_groups_without_a_contrast_are_left_out():
    rows = [Group(number) for number in (0, 0, 1, 1, 2, 2)]
    assert with_contrast(torch.tensor([1.0, 1.0, -0.5, 0.5, 0.0, 1e-5]), rows) == [1]


def test_whole_groups_form_mini_batches():
    rows = [Group(number) for number in (0, 0, 3, 3, 5, 5)]
    assert minibatches(rows, [0, 3, 5], 2) == [[0, 1, 4, 5], [2, 3]]
    assert minibatches(rows, [3], 2) == [[2, 3]]
    assert minibatches(rows, [], 2) == []


@pytest.fixture
def asked(tmp_path):
    """A file of ten questions whose answers are 1 to 10."""
    rows = [
        {"problem": f"p{n}", "language": "fr", "question": f"Combien font {n} ?", "gold": str(n)} for n in range(1, 11)
    ]
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Stopped(Exception):
    """The machine went away."""


def script(monkeypatch, teaches, calls, stop_at=None):
    """Have rollouts written by rule: question n has one right completion of several if n is in `teaches`, else none.

    `calls` collects which questions each call was asked; call number `stop_at` does not return.
    """

    def build(spec, model, tokenizer):
        def number(prompt):
            return int(re.search(r"Combien font (\d+)", tokenizer.decode(prompt))[1])

        def reply(prompt, index):
            n = number(prompt)
            text = f"\n</think>\\boxed{{{n if n in teaches and index == 0 else 99}}}"
            return [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

        class Engine(ScriptedEngine):
            def generate(self, prompts, *rest):
                if stop_at is not None and len(calls) + 1 == stop_at:
                    raise Stopped
                calls.append([number(prompt) for prompt in prompts])
                return super().generate(prompts, *rest)

        return Engine(reply, tokenizer.eos_token_id)

    monkeypatch.setattr(grpo, "build_engine", build)


def run(tmp_path, overrides, asked, *more):
    """Metrics, rollouts and the bytes of the model of a run with up to three rounds a step."""
    built, directory = prepare(
        tmp_path, "+experiment=grpo", "stages=[grpo]", *overrides, f"data.prompts={asked}", f"grpo.steps={STEPS}",
        f"grpo.prompts_per_step={PER_STEP}", f"grpo.completions_per_prompt={COMPLETIONS}", "rollout.maximum_new_tokens=60",
        "objective.sampling_rounds=3", *more,
    )  # fmt: skip
    execute(built, directory, directory / "config.yaml")
    folder = directory / "grpo"
    rollouts = [read_rollouts(folder / "rollouts", step) for step in range(1, STEPS + 1)]
    return read_metrics(folder / "metrics.jsonl"), rollouts, (folder / "model" / "model.safetensors").read_bytes()


def test_a_step_draws_until_enough_groups_have_a_contrast(tmp_path, overrides, asked, monkeypatch):
    calls, teaches = [], {2, 4, 6, 7, 9}
    script(monkeypatch, teaches, calls)
    metrics, rollouts, _ = run(tmp_path, overrides, asked)
    position = 0
    for step, (line, rows) in enumerate(zip(metrics, rollouts, strict=True)):
        questions = [i + 1 for number in range(3) for i in draw(10, step, number, PER_STEP, 0)]
        found = [place for place, n in enumerate(questions) if n in teaches]
        rounds = 3 if len(found) < PER_STEP else found[PER_STEP - 1] // PER_STEP + 1
        drawn = questions[: rounds * PER_STEP]
        assert [n for call in calls[position : position + rounds] for n in call] == drawn
        position += rounds
        trained = found[:PER_STEP]
        assert line["sampled_groups"] == rounds * PER_STEP and line["trained_groups"] == len(trained)
        assert len(rows) == rounds * PER_STEP * COMPLETIONS
        assert [row["trained"] for row in rows] == [row["group"] in trained for row in rows]
        assert all((row["entropy"] is None) is not row["trained"] for row in rows)
        assert line["accuracy"] == pytest.approx(sum(n in teaches for n in drawn) / len(drawn) / COMPLETIONS)
        for name in line.keys() - {"stage", "step", "time"}:
            require(name)
    assert position == len(calls) and {line["sampled_groups"] for line in metrics} > {PER_STEP}


def test_without_any_contrast_nothing_is_trained_and_the_step_is_logged(tmp_path, overrides, asked, monkeypatch):
    from safetensors.torch import load_file

    script(monkeypatch, set(), [])
    metrics, rollouts, _ = run(tmp_path, overrides, asked)
    assert [line["trained_groups"] for line in metrics] == [0] * STEPS
    assert metrics[0]["loss"] == metrics[0]["grad_norm"] == 0.0 and "ratio_max" not in metrics[0]
    assert len(rollouts[0]) == 3 * PER_STEP * COMPLETIONS
    start = next(text for text in overrides if text.startswith("model.path=")).removeprefix("model.path=")
    before, after = load_file(f"{start}/model.safetensors"), load_file(tmp_path / "run/grpo/model/model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("stop_at", [2, 3, 5], ids=lambda call: f"in call {call}")
def test_an_interrupted_step_takes_up_its_rounds(tmp_path, overrides, asked, monkeypatch, stop_at):
    teaches = {1, 2, 4}
    for folder in ("straight", "broken"):
        (tmp_path / folder).mkdir()
    straight, broken, after = [], [], []
    script(monkeypatch, teaches, straight)
    expected = run(tmp_path / "straight", overrides, asked)
    script(monkeypatch, teaches, broken, stop_at)
    with pytest.raises(Stopped):
        run(tmp_path / "broken", overrides, asked, "checkpoint.every_steps=1")
    script(monkeypatch, teaches, after)
    found = run(tmp_path / "broken", overrides, asked, "checkpoint.every_steps=1")
    assert found[1:] == expected[1:]
    timed = ("time", "seconds_rollout", "seconds_judge", "seconds_update", "tokens_per_second")
    for one, other in zip(found[0], expected[0], strict=True):
        assert {k: v for k, v in one.items() if k not in timed} == {k: v for k, v in other.items() if k not in timed}
    assert broken + after == straight  # nothing is sampled twice


def test_overlong_answers_pay_and_the_log_shows_the_reward_as_it_was(tmp_path, overrides, asked, monkeypatch):
    script(monkeypatch, set(range(1, 11)), [])
    more = ("objective.sampling_rounds=1", "objective.overlong.buffer=59", "objective.overlong.penalty=0.5")
    metrics, rollouts, _ = run(tmp_path, overrides, asked, *more)
    for line, rows in zip(metrics, rollouts, strict=True):
        assert line["reward"] == line["accuracy"] == 0.25
        expected = [-0.5 * (row["tokens"] - 1) / 59 for row in rows]
        assert [row["overlong_penalty"] for row in rows] == pytest.approx(expected, abs=1e-6)
        assert line["overlong_penalty"] == pytest.approx(sum(expected) / len(expected), abs=1e-6)
        assert [row["score"] for row in rows] == pytest.approx(
            [row["reward"] + row["overlong_penalty"] for row in rows], abs=1e-6
        )
        assert line["trained_groups"] == line["sampled_groups"] == PER_STEP


def test_the_trainers_own_probabilities_are_measured_against_the_samplers(tmp_path, overrides, asked, monkeypatch):
    """The script says probability 1 of every token: the trainer gives less, so no weight reaches the cap."""
    script(monkeypatch, set(range(1, 11)), [])
    metrics, rollouts, _ = run(tmp_path, overrides, asked, "objective=tis", "grpo.updates_per_step=1")
    for line in metrics:
        assert line["sampler_kl"] > 1.0 and line["importance_capped"] == 0.0
        assert line["ratio_max"] == line["ratio_min"] == 1.0  # the first update is from the trainer's own
    assert metrics[0]["sampler_kl"] == pytest.approx(sum(row["sampler_kl"] for row in rollouts[0]) / len(rollouts[0]))

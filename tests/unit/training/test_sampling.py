"""Rounds of sampling: which prompts a step draws, which groups it trains on, and what survives an interruption."""

import json
import re
from collections import Counter

import pytest
import torch

from src.algorithm.filters import has_contrast
from src.pipeline.execute import execute
from src.rollout.engines.base import Rollout
from src.rollout.engines.build import build_engine
from src.rollout.engines.scripted import ScriptedEngine
from src.rollout.generate import Mismatch, answer_questions, single_prompt
from src.rollout.spec import RolloutSpec
from src.stages import grpo
from src.store.rollouts import read_rollouts
from src.tracking.glossary import require
from src.tracking.metrics_file import read_metrics
from src.training import collect
from src.training.collect import draw
from src.training.mismatch import SamplerMismatch, check, difference, evenly_spaced, probe
from src.training.supervised import order
from src.training.update import minibatches
from tests.helpers.configs import prepare

STEPS, PER_STEP, COMPLETIONS = 4, 4, 4


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
    assert has_contrast(torch.tensor([1.0, 1.0, -0.5, 0.5, 0.0, 1e-5]), [0, 0, 1, 1, 2, 2]) == [1]


def test_whole_groups_form_mini_batches():
    groups = [0, 0, 3, 3, 5, 5]
    assert minibatches(groups, [0, 3, 5], 2) == [[0, 1, 4, 5], [2, 3]]
    assert minibatches(groups, [3], 2) == [[2, 3]]
    assert minibatches(groups, [], 2) == []


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
        tmp_path,
        "+experiment=grpo",
        "stages=[grpo]",
        *overrides,
        f"data.prompts={asked}",
        f"grpo.steps={STEPS}",
        f"grpo.prompts_per_step={PER_STEP}",
        f"grpo.completions_per_prompt={COMPLETIONS}",
        "rollout.maximum_new_tokens=60",
        "objective.sampling_rounds=3",
        *more,
    )
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
        places = [place for place, n in enumerate(questions) if n in teaches]
        rounds = 3 if len(places) < PER_STEP else places[PER_STEP - 1] // PER_STEP + 1
        drawn = questions[: rounds * PER_STEP]
        assert [n for call in calls[position : position + rounds] for n in call] == drawn
        position += rounds
        trained = places[:PER_STEP]
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
    resumed = run(tmp_path / "broken", overrides, asked, "checkpoint.every_steps=1")
    assert resumed[1:] == expected[1:]
    timed = ("time", "seconds_rollout", "seconds_judge", "seconds_update", "tokens_per_second")
    for one, other in zip(resumed[0], expected[0], strict=True):
        assert {k: v for k, v in one.items() if k not in timed} == {k: v for k, v in other.items() if k not in timed}
    assert broken + after == straight  # nothing is sampled twice


def test_a_strategy_may_ask_the_engine_several_times_in_a_round(tmp_path, overrides, asked, monkeypatch):
    calls = []

    def ask_again(generate, chat, judge, questions, seeds, samples, strategy, groups):
        return answer_questions(generate, chat, judge, questions, seeds, samples, twice, groups)

    def twice(generate, chat, questions, seeds, samples):
        first = single_prompt(generate, chat, questions, seeds, samples)
        again = single_prompt(generate, chat, questions[::-1], seeds[::-1], samples)
        assert [c.rollout.tokens for group in again[::-1] for c in group] == [
            c.rollout.tokens for group in first for c in group
        ]
        return first

    script(monkeypatch, set(range(1, 11)), calls)
    monkeypatch.setattr(collect, "answer_questions", ask_again)
    run(tmp_path, overrides, asked, "objective.sampling_rounds=1")
    assert len(calls) == 2 * STEPS
    assert calls[1::2] == [call[::-1] for call in calls[::2]]  # and not the rollouts that the first call left


def test_the_parts_of_a_reward_are_logged_and_kept(tmp_path, overrides, asked, monkeypatch):
    script(monkeypatch, set(range(1, 11)), [])
    more = ("reward=accuracy_overlong", "reward.parts.overlong.reward.buffer=59", "reward.parts.overlong.weight=0.5")
    metrics, rollouts, _ = run(tmp_path, overrides, asked, "objective.sampling_rounds=1", *more)
    for line, rows in zip(metrics, rollouts, strict=True):
        assert line["reward/accuracy"] == line["accuracy"] == 0.25
        expected = [-0.5 * (row["tokens"] - 1) / 59 for row in rows]
        assert [row["reward_overlong"] for row in rows] == pytest.approx(expected, abs=1e-6)
        assert line["reward/overlong"] == pytest.approx(sum(expected) / len(expected), abs=1e-6)
        assert [row["reward_accuracy"] for row in rows] == [float(row["correct"]) for row in rows]
        assert [row["reward"] for row in rows] == [row["reward_accuracy"] + row["reward_overlong"] for row in rows]
        assert [row["score"] for row in rows] == pytest.approx([row["reward"] for row in rows], abs=1e-6)
        assert line["trained_groups"] == line["sampled_groups"] == PER_STEP


def test_the_trainers_own_probabilities_are_measured_against_the_samplers(tmp_path, overrides, asked, monkeypatch):
    """The script says probability 1 of every token: the trainer gives less, so no weight reaches the cap."""
    script(monkeypatch, set(range(1, 11)), [])
    metrics, rollouts, _ = run(tmp_path, overrides, asked, "objective=tis", "grpo.updates_per_step=1")
    for line in metrics:
        assert line["sampler_kl"] > 1.0 and line["importance_capped"] == 0.0
        assert [line["ratio_max"], line["ratio_min"]] == pytest.approx(
            [1.0, 1.0], abs=1e-6
        )  # the first update is from the trainer's own
    assert metrics[0]["sampler_kl"] == pytest.approx(sum(row["sampler_kl"] for row in rollouts[0]) / len(rollouts[0]))


def test_the_least_sure_tokens_are_those_of_the_mini_batch_however_it_is_cut(tmp_path, overrides, asked, monkeypatch):
    script(monkeypatch, set(range(1, 11)), [])
    runs = []
    for tokens in (1, 100_000):
        more = ("objective.loss.top_entropy=0.5", "grpo.updates_per_step=1", f"grpo.tokens_per_microbatch={tokens}")
        metrics, rollouts, _ = run(tmp_path / str(tokens), overrides, asked, "objective.sampling_rounds=1", *more)
        runs.append([(line["loss"], line["grad_norm"], line["counted"]) for line in metrics])
        counted = sum(row["counted"] * row["tokens"] for row in rollouts[0])
        assert 0.499 < counted / sum(row["tokens"] for row in rollouts[0]) < 0.55  # equal ones count together
    for one, other in zip(*runs, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6)


def test_bad_sequences_far_from_their_sampler_are_left_out(tmp_path, overrides, asked, monkeypatch):
    """The script says probability 1 of every token, so every sequence has gone far: what is left are those not punished."""
    script(monkeypatch, set(range(1, 11)), [])
    more = ("objective.loss.off_policy_threshold=0.5", "objective.loss.top_entropy=1")
    metrics, rollouts, _ = run(tmp_path, overrides, asked, "objective.sampling_rounds=1", *more)
    for line, rows in zip(metrics, rollouts, strict=True):
        assert [row["counted"] for row in rows] == [float(row["advantage"] >= 0) for row in rows]
        assert 0 < line["counted"] < 1


def test_the_gap_of_a_rollout_by_hand():
    sampler, trainer = torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([-1.5, -1.0, -3.0])
    assert difference(sampler, trainer) == Mismatch(total=1.5, largest=1.0, tokens=3, surprisal=6.0)
    one_sided = difference(sampler, trainer, one_sided=True)  # the sampler's -1.0 may be larger than the trainer's -1.5
    assert one_sided == Mismatch(total=1.0, largest=1.0, tokens=3, surprisal=6.0)


def rollouts_of(*lengths):
    return [Rollout([5] * length, torch.zeros(length), False) for length in lengths]


def test_probed_rollouts_are_spread_and_have_tokens():
    assert evenly_spaced(rollouts_of(*[1] * 8), 4) == [0, 2, 4, 6]
    assert evenly_spaced(rollouts_of(0, 1, 0, 1), 4) == [1, 3]
    assert evenly_spaced(rollouts_of(0, 0), 4) == evenly_spaced([], 4) == evenly_spaced(rollouts_of(1), 0) == []


@pytest.mark.parametrize(
    ("spec", "dtype", "gaps", "stops"),
    [
        (RolloutSpec(), "float32", [Mismatch(0.001, 0.001, 1), Mismatch(0.0, 0.0, 1)], False),  # 5e-4 a token
        (RolloutSpec(), "float32", [Mismatch(0.01, 0.002, 5)], True),  # 2e-3
        (RolloutSpec(), "bfloat16", [Mismatch(0.01, 0.002, 5)], False),
        (RolloutSpec(), "bfloat16", [Mismatch(0.6, 0.5, 10)], True),  # 0.06
        (RolloutSpec(mismatch_limit=0.1), "float32", [Mismatch(0.6, 0.5, 10)], False),
        (RolloutSpec(mismatch_limit=0.1), "float32", [Mismatch(float("nan"), float("nan"), 10)], True),
        (RolloutSpec(), "float32", [], False),
    ],
)
def test_the_mean_over_all_tokens_stops_a_run(spec, dtype, gaps, stops):
    if not stops:
        check(gaps, spec, dtype, "native")
        return
    with pytest.raises(SamplerMismatch, match="differ by .* nats a token on average .*rollout.mismatch_limit.*native"):
        check(gaps, spec, dtype, "native")


@pytest.mark.parametrize("count", [0, 3])
def test_a_rank_goes_through_the_model_once_with_rollouts_or_without(count):
    batches = []

    def logprobs(batch, temperature, entropy):
        batches.append((batch.tokens.tolist(), temperature, entropy))
        return torch.full(batch.mask.shape, -0.5), torch.zeros(batch.mask.shape)

    gaps = probe(logprobs, [[7, 8]] * count, rollouts_of(*range(1, count + 1)), RolloutSpec(temperature=0.7), 0, "cpu")
    assert len(batches) == 1 and batches[0][1:] == (0.7, "none")
    assert gaps == {index: Mismatch(0.5 * (index + 1), 0.5, index + 1, 0.0) for index in range(count)}
    if not count:
        assert batches[0][0] == [[0]]


# Every update changes the policy, though no answer of a random model is right.
LEARNS = (
    "objective.sampling_rounds=1",
    "objective.loss.entropy_coefficient=0.1",
    "grpo.optimiser.learning_rate=0.02",
    "rollout.maximum_new_tokens=24",
)


class KeepsOldWeights:
    """A sampler that is given new weights and goes on with the first."""

    def __init__(self, engine):
        self.engine, self.name, self.probed = engine, "native", True

    def load(self, weights):
        pass

    def generate(self, *arguments):
        return self.engine.generate(*arguments)


@pytest.mark.parametrize("rows", [4, 0])
def test_a_sampler_with_old_weights_stops_the_run(tmp_path, overrides, asked, monkeypatch, rows):
    monkeypatch.setattr(grpo, "build_engine", lambda *arguments: KeepsOldWeights(build_engine(*arguments)))
    more = (*LEARNS, f"rollout.probe_rows={rows}")
    if rows:
        with pytest.raises(SamplerMismatch, match=r"may differ by 0.001 nats .* tokens of 4 rollouts they differ by"):
            run(tmp_path, overrides, asked, *more)
        (first, *_) = read_metrics(tmp_path / "run/grpo/metrics.jsonl")
        assert first["sampler_gap"] < 1e-5  # it began as the policy
    else:
        metrics, *_ = run(tmp_path, overrides, asked, *more)
        assert "sampler_gap" not in metrics[0]


def test_the_gap_between_sampler_and_trainer_is_logged(tmp_path, overrides, asked):
    metrics, rollouts, _ = run(tmp_path, overrides, asked, *LEARNS)
    for line, rows in zip(metrics, rollouts, strict=True):
        probed = [row for row in rows if row["sampler_gap"] is not None]
        assert len(probed) == 4 and len({row["group"] for row in probed}) == 4
        assert 0 <= line["sampler_gap"] < 1e-5 and line["sampler_gap"] <= line["sampler_gap_max"] < 1e-4
        assert line["sampler_gap_max"] == max(row["sampler_gap_max"] for row in probed)
        require("sampler_gap"), require("sampler_gap_max")


def test_a_truncated_sampler_is_the_policy_where_it_samples(tmp_path, overrides, asked):
    """Its probabilities are larger by what was cut, which is no mismatch."""
    metrics, *_ = run(tmp_path, overrides, asked, *LEARNS, "objective=tis", "rollout.top_k=20", "rollout.top_p=0.9")
    for line in metrics:
        assert line["sampler_gap"] < 1e-5 and line["sampler_kl"] > 0.05


def test_a_rank_without_rollouts_takes_part_in_the_probe(tmp_path, overrides, asked):
    built, directory = prepare(
        tmp_path,
        "+experiment=grpo",
        "stages=[grpo]",
        *overrides,
        f"data.prompts={asked}",
        "grpo.steps=2",
        "grpo.prompts_per_step=1",
        "grpo.updates_per_step=1",
        "distributed.processes=2",
    )
    execute(built, directory, directory / "config.yaml")
    assert all(line["sampler_gap"] < 1e-5 for line in read_metrics(directory / "grpo" / "metrics.jsonl"))


def test_a_run_of_scripted_rollouts(tmp_path, overrides, asked):
    script = tmp_path / "script.jsonl"
    script.write_text("".join(json.dumps({"text": f"\n</think>\\boxed{{{n}}}"}) + "\n" for n in (3, 99)))
    metrics, rollouts, _ = run(tmp_path, overrides, asked, "rollout=scripted", f"rollout.script={script}")
    assert all("sampler_gap" not in line and line["truncated"] == 0.0 for line in metrics)
    assert {row["completion"] for rows in rollouts for row in rows} == {f"\n</think>\\boxed{{{n}}}" for n in (3, 99)}


def test_with_remax_a_reward_is_compared_with_that_of_a_greedy_completion(tmp_path, overrides, asked):
    more = ("objective=remax", "objective.sampling_rounds=1", "rollout.engine=native")
    _, rollouts, model = run(tmp_path / "one", overrides, asked, *more)
    for row in (row for rows in rollouts for row in rows):
        assert row["reward"] - row["advantage"] in (0.0, 1.0)  # the greedy completion's
    for rows in rollouts:
        baselines = {(row["group"], row["reward"] - row["advantage"]) for row in rows}
        assert len(baselines) == len({row["group"] for row in rows}) == PER_STEP
        assert len(rows) == PER_STEP * COMPLETIONS  # the greedy ones are not trained on
    assert run(tmp_path / "two", overrides, asked, *more)[2] == model

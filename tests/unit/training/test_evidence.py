"""GRPO with a reward that services give evidence for: what is asked, logged and kept, and what a repeated step finds."""

import itertools
import json
import math
import random
import re

import pytest

from src.common.errors import ConfigError
from src.config.checks import check
from src.data.records import Example, Question, write_records
from src.data.world import documents, render
from src.data.world.recognise import problem_of
from src.data.world.spec import WorldSpec
from src.pipeline.execute import execute
from src.rollout.engines.scripted import ScriptedEngine
from src.stages import grpo
from src.store.rollouts import read_rollouts
from src.tracking.glossary import require
from src.tracking.metrics_file import read_metrics
from src.training.metrics import answer_entropy
from tests.helpers.configs import compose, prepare
from tests.helpers.teacher import ScriptedTeacher, vectors

STEPS = 4
TIMED = ("time", "seconds_rollout", "seconds_judge", "seconds_update", "tokens_per_second")


class Stopped(Exception):
    """The machine went away."""


@pytest.fixture(autouse=True)
def local(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def asked(tmp_path):
    """A file of eight questions of the world, and one of English examples for all but the last of them."""
    questions = documents.prompts(WorldSpec(), "fr", 8, seed=5)
    questions = [Question(f"p{place}", row.language, row.question, row.gold) for place, row in enumerate(questions)]
    write_records(tmp_path / "prompts.jsonl", questions)
    examples = [
        Example(
            row.problem,
            "en",
            f"How many? ({row.problem})",
            row.gold,
            f"I count {row.gold}.\n</think>\\boxed{{{row.gold}}}",
        )
        for row in questions[:-1]
    ]
    write_records(tmp_path / "references.jsonl", examples)
    return tmp_path


def answer_with(monkeypatch, replies, stop_at=None):
    """Have every rollout say what `replies(prompt, index)` says; call number `stop_at` of the engine does not return."""
    calls = itertools.count()

    def build(spec, model, tokenizer):
        def reply(prompt, index):
            text = replies(tokenizer.decode(prompt), index)
            return [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

        class Engine(ScriptedEngine):
            def generate(self, *given):
                if next(calls) == stop_at:
                    raise Stopped
                return super().generate(*given)

        return Engine(reply, tokenizer.eos_token_id)

    monkeypatch.setattr(grpo, "build_engine", build)


def run(folder, overrides, asked, *more):
    """Metrics and rollouts of a run."""
    built, directory = prepare(
        folder,
        "+experiment=grpo",
        "stages=[grpo]",
        *overrides,
        f"data.prompts={asked / 'prompts.jsonl'}",
        f"grpo.steps={STEPS}",
        "grpo.prompts_per_step=4",
        "grpo.completions_per_prompt=3",
        "rollout.maximum_new_tokens=60",
        *more,
    )
    execute(built, directory, directory / "config.yaml")
    metrics = read_metrics(directory / "grpo" / "metrics.jsonl")
    return metrics, [read_rollouts(directory / "grpo" / "rollouts", step) for step in range(1, STEPS + 1)]


def numbers(lines):
    return [{name: value for name, value in line.items() if name not in TIMED} for line in lines]


def healthy(text, attempt):
    """Vectors that are those of the texts."""
    return vectors(*([random.Random(line).random(), 1.0] for line in text.split("\n")))


def ailing(text, attempt):
    """None of a text that says 3 is the answer."""
    return (500, {"error": "no"}, {}) if "It is 3" in text else healthy(text, attempt)


def guess(prompt, index):
    return f"It is {(len(prompt) + index) % 5}.</think>\\boxed{{{(len(prompt) + index) % 5}}}"


def of_embedder(server, asked):
    settings = ("by=endpoint", "model=m", "retries=0", "unanswered=0.9", "batch=1", f"url={server.url}")
    return (
        "reward=pivot_plain",
        f"services.references={asked / 'references.jsonl'}",
        *(f"services.embedder.{setting}" for setting in settings),
    )


def test_a_repeated_step_finds_what_services_said_and_where_they_said_nothing(tmp_path, overrides, asked, monkeypatch):
    for folder in ("straight", "broken"):
        (tmp_path / folder).mkdir()
    every = "checkpoint.every_steps=2"
    answer_with(monkeypatch, guess)
    with ScriptedTeacher(ailing) as server:
        metrics, rollouts = run(tmp_path / "straight", overrides, asked, *of_embedder(server, asked), every)
    with ScriptedTeacher(ailing) as server:
        answer_with(monkeypatch, guess, stop_at=3)
        with pytest.raises(Stopped):
            run(tmp_path / "broken", overrides, asked, *of_embedder(server, asked), every)
    with ScriptedTeacher(healthy) as server:  # from step 3 on it would know all
        answer_with(monkeypatch, guess)
        resumed, again = run(tmp_path / "broken", overrides, asked, *of_embedder(server, asked), every)
    assert numbers(resumed)[:3] == numbers(metrics)[:3] and again[:3] == rollouts[:3]
    assert sum(row["reward_coherence"] is None for row in again[3]) < sum(
        row["reward_coherence"] is None for row in rollouts[3]
    )
    assert metrics[0]["evidence_cached"] == 0 < metrics[2]["evidence_cached"]  # in the second epoch
    for line, rows in zip(metrics, rollouts, strict=True):
        unknown = [row for row in rows if row["reward_coherence"] is None]
        assert 0 < len(unknown) < len(rows)
        assert all(row["reward"] is None and row["advantage"] == 0 for row in unknown)  # left out, which is no 0
        without = [row for row in rows if row["problem"] == "p7"]
        assert line["evidence_asked"] == 2 * len(rows)  # cosine and answer
        assert line["evidence_missing"] == (len(unknown) + len(without)) / (2 * len(rows))
        for name in line.keys() - {"stage", "step", "time"}:
            require(name)


def test_the_world_judges_what_its_own_questions_are_answered_with(tmp_path, overrides, asked, monkeypatch):
    """A right French trace earns 2, one without equations 1, an English one -1."""
    texts = {}
    for question in map(json.loads, (asked / "prompts.jsonl").read_text().splitlines()):
        problem = problem_of(question["question"], "fr")
        texts[question["question"]] = (
            render.completion(problem, "fr", random.Random(0)),
            f"Au début, il y a beaucoup de pommes. Donc, à la fin, il y en a moins.</think>\\boxed{{{problem.answer}}}",
            render.completion(problem, "en", random.Random(0)),
        )
    answer_with(monkeypatch, lambda prompt, index: next(own[index] for text, own in texts.items() if text in prompt))
    metrics, rollouts = run(tmp_path, overrides, asked, "reward=m_thinker", "rollout.maximum_new_tokens=200")
    for line, rows in zip(metrics, rollouts, strict=True):
        assert [row["reward"] for row in rows] == [2.0, 1.0, -1.0] * 4
        assert (line["evidence_asked"], line["evidence_missing"]) == (8, 0.0)  # nobody is asked about the English ones


def test_own_answers_in_the_pivot_language_are_voted_by(tmp_path, overrides, asked, monkeypatch):
    english = []

    def reply(prompt, index):
        if "How many" in prompt or " there now" in prompt:
            english.append(prompt)
            return f"So it is.</think>\\boxed{{{5 if index else 6}}}"
        return f"Voilà.</think>\\boxed{{{4 + index}}}"

    answer_with(monkeypatch, reply)
    more = ("reward=self_pivot", "services.own_answers=3", "grpo.prompts_per_language=8")
    metrics, rollouts = run(tmp_path, overrides, asked, *more)
    assert len(english) == STEPS * 4 * 3
    for line, rows in zip(metrics, rollouts, strict=True):
        assert [row["reward"] for row in rows] == [0.0, 1.0, 0.0] * 4
        assert line["evidence_asked"] == 4 and line["evidence_missing"] == 0.0
        assert line["answer_entropy"] == pytest.approx(math.log(3) / math.log(12))


def test_answers_that_are_all_the_same_have_no_entropy():
    assert answer_entropy([{"answer": "5"}] * 4) == 0.0 and answer_entropy([{"answer": "5"}]) == 0.0
    assert answer_entropy([{"answer": str(n)} for n in range(4)]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["services.judge.by=oracle"], "services.judge.by must be one of world, endpoint; got 'oracle'"),
        (["services.judge.by=endpoint"], "services.judge.model must be the name the endpoint knows the judge by"),
        (["services.judge.by=endpoint", "services.judge.url=ftp://x"], "services.judge.url must be http"),
        (["services.references=nowhere.jsonl"], "services.references: nowhere.jsonl is not a file"),
        (["services.pivot=xx"], "services.pivot must be one of"),
        (["services.own_answers=0"], "services.own_answers must be at least 1; got 0"),
    ],
)
def test_services_that_cannot_be_asked_are_refused_before_the_run(overrides, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        check(compose("+experiment=m_thinker", *overrides))
    if "own_answers" not in message:  # nobody is to be asked
        check(compose("+experiment=grpo", *overrides))

"""A strategy carried out: which prompts an engine gets, in which round, with which seeds."""

import torch

from src.data.chat import Chat
from src.data.records import Question
from src.models.spec import ModelSpec
from src.rollout.asking import Asking, asked_by
from src.rollout.engines.base import Rollout
from src.rollout.generate import single_prompt
from src.strategies.clp import Clp
from src.strategies.fan_out import FanOut
from src.strategies.hack import Hack
from src.strategies.plain import Plain
from src.strategies.selective import Selective
from tests.helpers.configs import compose
from tests.helpers.paths import ROOT

QUESTIONS = [Question("p1", "fr", "Un et un ?", "2"), Question("p2", "ja", "一と一は？", "2")]


def chat_of(think="auto"):
    from src.models.load import load_tokenizer

    spec = ModelSpec(think=think)
    return Chat.of(load_tokenizer(str(ROOT / "experiments/base_model/base_small"), spec), "none", spec)


class Engine:
    """Answers `<number of the call>` and keeps what it was asked."""

    def __init__(self, chat):
        self.chat = chat
        self.calls = []

    def __call__(self, prompts, samples):
        self.calls.append([(self.chat.tokenizer.decode(prompt.tokens), prompt.seed) for prompt in prompts])
        reply = f"{len(self.calls)}</think>ok"
        tokens = [*self.chat.tokenizer(reply, add_special_tokens=False)["input_ids"], self.chat.tokenizer.eos_token_id]
        return [[Rollout(tokens, torch.zeros(len(tokens)), False) for _ in range(samples)] for _ in prompts]


def asked(strategy, samples=2, think="auto"):
    chat = chat_of(think)
    engine = Engine(chat)
    groups = Asking(strategy)(engine, chat, QUESTIONS, [5, 6], samples)
    assert [len(group) for group in groups] == [samples] * 2
    return engine.calls, groups


def test_plain_is_what_training_and_evaluation_were_without_strategies():
    chat = chat_of()
    engine = Engine(chat)
    calls, groups = asked(Plain())
    alone = single_prompt(engine, chat, QUESTIONS, [5, 6], 2)
    assert [[one.prompt for one in group] for group in groups] == [[one.prompt for one in group] for group in alone]
    assert calls == engine.calls


def test_a_prefill_stands_where_the_thinking_begins():
    (call,), _ = asked(Hack())
    assert call[0][0].endswith("<|assistant|><think>\nJe vais réfléchir en français, étape par étape.\n")
    assert [seed for _, seed in call] == [5, 6]  # the samples of a question share its prompt


def test_a_prefill_opens_the_thinking_of_a_model_that_opens_it_itself():
    (call,), _ = asked(Hack("marker"), think="model")
    assert call[1][0].endswith("<|assistant|><think>\nさて、")
    (call,), _ = asked(Plain(), think="model")
    assert call[1][0].endswith("<|assistant|>")


def test_samples_with_prompts_of_their_own_are_asked_one_by_one():
    (call,), groups = asked(FanOut(["de", "es"]))
    assert ["Deutsch" in text for text, _ in call] == [True, False, True, False]
    assert len({seed for _, seed in call}) == 4
    prompts = [completion.prompt.tokens for group in groups for completion in group]
    assert prompts == [chat_of().tokenizer(text, add_special_tokens=False)["input_ids"] for text, _ in call]


def test_a_second_round_sees_the_reply_of_the_first():
    (first, second), groups = asked(Clp())
    assert len(first) == len(second) == 4
    for (one, seed), (two, other) in zip(first, second, strict=True):
        before = one.removesuffix("<|assistant|><think>\n")
        assert two.startswith(before) and "1</think>ok<|end|><|user|>" in two and seed != other
    assert chat_of().tokenizer.decode(groups[0][0].rollout.tokens).startswith("2</think>")


class Sure(Selective):
    """Doubts the Japanese question alone, whatever the reply."""

    def _doubted(self, reply):
        return True

    def __call__(self, question, instruction, sample, seed, replies):
        asked_before = bool(replies) and question.language == "fr"
        return None if asked_before else super().__call__(question, instruction, sample, seed, replies)


def test_a_row_that_needs_no_more_rounds_keeps_its_completion():
    calls, groups = asked(Sure())
    assert [len(call) for call in calls] == [4, 2, 2]  # two samples of two questions, then of the Japanese one
    texts = [chat_of().tokenizer.decode(one.rollout.tokens)[:1] for group in groups for one in group]
    assert texts == ["1", "1", "3", "3"]
    assert "As I understand it, the question is: “ok”" in calls[2][0][0]


def test_a_reply_says_how_sure_the_model_was():
    said = []

    class Listens(Clp):
        def __call__(self, question, instruction, sample, seed, replies):
            said.extend(reply.probability for reply in replies)
            return super().__call__(question, instruction, sample, seed, replies)

    asked(Listens(), samples=1)
    assert said == [1.0, 1.0]  # log-probabilities of 0


def test_without_questions_every_round_is_asked_all_the_same():
    chat = chat_of()
    engine = Engine(chat)
    assert Asking(Clp())(engine, chat, [], [], 2) == []
    assert engine.calls == [[], []]


def test_answers_depend_on_the_strategy_where_there_is_one():
    assert asked_by(compose("+experiment=grpo")) == ()
    assert asked_by(compose("+experiment=grpo", "strategy=hack")) == ("strategy",)

"""The corpora of the embedded world: pre-training documents, SFT examples, RL prompts and evaluation questions.

The story is that of a real base model: it has read every language as plain text, but its chat reasoning is
almost always in the pivot language. SFT then shows a few traces that reason in the language of the query.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from src.data.records import Example, Question
from src.data.world import render
from src.data.world.problems import Problem, draw_split
from src.data.world.spec import WorldSpec


@dataclass(frozen=True)
class Document:
    """A pre-training text: `question` (not learned), `completion` (learned), with or without chat tokens."""

    question: str
    completion: str
    chat: bool


def pretraining(spec: WorldSpec, seed: int) -> list[Document]:
    """`spec.pretrain_documents` documents over all languages, from problems of the train split only."""
    generator = random.Random(f"pretrain/{seed}")
    documents = []
    for problem in draw_split(spec, "train", spec.pretrain_documents, seed):
        code = generator.choice(spec.languages)
        chat = generator.random() < spec.chat_share
        in_language = not chat or generator.random() < spec.in_language_share
        # The paraphrases held out from SFT and RL are part of what the base model has read.
        text = render.question(problem, code, generator, held_out=generator.random() < 0.25)
        reasoning_code = code if in_language else spec.pivot_language
        documents.append(Document(text, render.completion(problem, reasoning_code, generator), chat))
    return documents


def examples(spec: WorldSpec, code: str, count: int, seed: int, part: str) -> list[Example]:
    """In-language worked examples for SFT, `part` being `sft` or `validation` (both from the train split)."""
    generator = random.Random(f"{part}/{code}/{seed}")
    problems = draw_split(spec, "train", count, seed=_stream(part, code, seed))
    return [
        Example(**_question_fields(problem, code, generator), completion=render.completion(problem, code, generator))
        for problem in problems
    ]


def shared_examples(spec: WorldSpec, code: str, count: int, seed: int, part: str) -> list[Example]:
    """As `examples`, of problems that are the same in every language, each once."""
    generator = random.Random(f"{part}/{code}/{seed}")
    problems = draw_split(spec, "train", count, seed=_stream(part, "shared", seed), distinct=True)
    return [
        Example(**_question_fields(problem, code, generator), completion=render.completion(problem, code, generator))
        for problem in problems
    ]


def prompts(spec: WorldSpec, code: str, count: int, seed: int) -> list[Question]:
    """Questions for reinforcement learning, from the train split, all of the longest kind the world trains."""
    generator = random.Random(f"rl/{code}/{seed}")
    problems = draw_split(spec, "train", count, seed=_stream("rl", code, seed))
    return [Question(**_question_fields(problem, code, generator)) for problem in problems]


def shared_prompts(spec: WorldSpec, code: str, count: int, seed: int) -> list[Question]:
    """As `prompts`, of problems that are the same in every language, each once: at most `count`."""
    generator = random.Random(f"rl/{code}/{seed}")
    drawn = draw_split(spec, "train", count, seed=_stream("rl", "shared", seed))
    problems = {problem.key: problem for problem in drawn}
    return [Question(**_question_fields(problem, code, generator)) for problem in problems.values()]


def evaluation(spec: WorldSpec, split: str, languages: list[str], count: int) -> list[Question]:
    """The same `count` problems in every language. `split`: `dev`, `test`, or `shift` (test, held-out wordings)."""
    source = "dev" if split == "dev" else "test"
    problems = draw_split(spec, source, count, seed=0, distinct=True)
    questions = []
    for code in languages:
        for problem in problems:
            generator = random.Random(f"{split}/{code}/{problem.key}")
            fields = _question_fields(problem, code, generator, held_out=split == "shift")
            questions.append(Question(**fields))
    return questions


def _question_fields(problem: Problem, code: str, generator: random.Random, held_out: bool = False) -> dict[str, str]:
    return {
        "problem": problem.key,
        "language": code,
        "question": render.question(problem, code, generator, held_out),
        "gold": str(problem.answer),
    }


def _stream(part: str, code: str, seed: int) -> int:
    return random.Random(f"{part}/{code}/{seed}").getrandbits(32)

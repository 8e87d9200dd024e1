"""The data of each stage: the embedded world's, or the JSONL files of `data.*`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from src.data.benchmarks.base import Benchmark, content_hash
from src.data.hub import is_remote
from src.data.records import Example, Question, read_records
from src.data.spec import DataSpec
from src.data.world import documents
from src.data.world.spec import WorldSpec


def sft_examples(data: DataSpec, world: WorldSpec, seed: int) -> list[Example]:
    """Worked examples in the trained languages, without those that are held out."""
    if data.sft is not None:
        return [example for example in read_records(data.sft, Example, data.layout) if not _held_out(data, example)]
    return _each(world, world.sft_examples_per_language, seed, "sft")


def validation_examples(data: DataSpec, world: WorldSpec, seed: int) -> list[Example]:
    """Worked examples that SFT never learns from; of `data.sft` the `data.validation_share` that is held out."""
    if data.validation is not None:
        return read_records(data.validation, Example, data.layout)
    if data.sft is not None:
        return [example for example in read_records(data.sft, Example, data.layout) if _held_out(data, example)]
    return _each(world, world.validation_examples_per_language, seed, "validation")


def grpo_questions(
    data: DataSpec, world: WorldSpec, per_language: int, seed: int, by_problem: bool = False
) -> list[Question]:
    """Questions for GRPO, the trained languages in turn. `by_problem`: the world's are the same problems, each once, in all of
    them."""
    if data.prompts is not None:
        return read_records(data.prompts, Question, data.layout)
    if by_problem:
        columns = [documents.shared_prompts(world, code, per_language, seed) for code in world.trained_languages]
    else:
        columns = [documents.prompts(world, code, per_language, seed) for code in world.trained_languages]
    return [question for row in zip(*columns, strict=True) for question in row]


def identity(data: DataSpec, name: str) -> str:
    """What a file of `data.*` counts as: its content wherever it lies, or its name in a repository at a commit, and how its
    columns are named."""
    content = name if is_remote(name) else f"file {content_hash(Path(name))}"
    named = [f"{ours}={place}" for ours, place in sorted(data.fields.items())]
    return " ".join([content, *named, *([f"in {data.layout.language}"] if data.language else [])])


def never_asked(scheduled: Iterable[str], asked: Iterable[str], name: str) -> list[str]:
    """A sentence for each language of `schedule.per_language` that no question of GRPO is in; `name` says where those come
    from."""
    there = sorted(set(asked))
    return [
        f"schedule.per_language.{code}: a schedule of its own is for a language that GRPO asks in; {name} has "
        f"{', '.join(there)}. Take it out, or add questions in {code}"
        for code in scheduled
        if code not in there
    ]


def evaluation_questions(
    benchmark: Benchmark, world: WorldSpec, split: str, languages: list[str], problems: int | None
) -> list[Question]:
    """Questions of one split, language after language; of each language the first `problems` (None: all)."""
    questions = benchmark.questions(split, languages, world, problems)
    return [
        question for code in languages for question in [row for row in questions if row.language == code][:problems]
    ]


def _held_out(data: DataSpec, example: Example) -> bool:
    """Whether a problem is among the `validation_share` held out, by a hash: translations of it stay together."""
    if data.validation is not None or not data.validation_share:
        return False
    number = int.from_bytes(hashlib.sha256(example.problem.encode()).digest()[:4], "big")
    return number < data.validation_share * 2**32


def _each(world: WorldSpec, count: int, seed: int, part: str) -> list[Example]:
    return [
        example for code in world.trained_languages for example in documents.examples(world, code, count, seed, part)
    ]

"""The data of each stage: the embedded world's, or the JSONL files of `data.*`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from src.data.benchmarks.base import Benchmark, content_hash
from src.data.hub import is_remote
from src.data.mixes.base import Material, Mix, mixed
from src.data.mixes.plain import Plain
from src.data.records import Example, Question, read_records
from src.data.samples import files_of, read_samples
from src.data.spec import DataSpec
from src.data.world import documents
from src.data.world.spec import WorldSpec

PLAIN = Plain()


def sft_examples(data: DataSpec, world: WorldSpec, seed: int, mix: Mix = PLAIN) -> list[Example]:
    """Worked examples in the trained languages, without those that are held out, as the mix makes them.

    Raises:
        BadData: a file cannot be read, or the mix makes nothing of its rows.
    """
    return mixed(mix, _material(data, world, seed, mix, "sft"), seed)


def validation_examples(data: DataSpec, world: WorldSpec, seed: int, mix: Mix = PLAIN) -> list[Example]:
    """Worked examples that SFT never learns from, as the mix makes them; of `data.sft` the `data.validation_share` that is
    held out."""
    return mixed(mix, _material(data, world, seed, mix, "validation"), seed)


def problems_left_out(data: DataSpec, world: WorldSpec, seed: int, mix: Mix) -> tuple[int, int]:
    """(how many problems of `data.sft` are in no example of the mix, how many there are)."""
    rows = {row.problem for row in _material(data, world, seed, mix, "sft").rows}
    made = {row.problem for row in sft_examples(data, world, seed, mix)}
    return len(rows - made), len(rows)


def _material(data: DataSpec, world: WorldSpec, seed: int, mix: Mix, part: str) -> Material:
    """What the mix is made of, in the part `sft` or `validation`."""
    samples = _samples(data, world, seed, mix) if part == "sft" and mix.samples else []
    if part == "validation" and data.validation is not None:
        return Material(read_records(data.validation, Example, data.layout))
    if data.sft is not None:
        rows = read_records(data.sft, Example, data.layout)
        return Material([row for row in rows if _held_out(data, row) == (part == "validation")], samples=samples)
    count = world.sft_examples_per_language if part == "sft" else world.validation_examples_per_language
    draw = documents.shared_examples if mix.parallel else documents.examples
    codes = [*world.trained_languages, *(code for code in mix.pivots if code not in world.trained_languages)]
    drawn = [row for code in codes for row in draw(world, code, count, seed, part)]
    own = [row for row in drawn if row.language in world.trained_languages]
    return Material(own, [row for row in drawn if row.language not in world.trained_languages], samples)


def _samples(data: DataSpec, world: WorldSpec, seed: int, mix: Mix) -> list[Example]:
    """Right answers of the model, to problems that are not held out."""
    if data.samples is None:
        return []
    held_out = {row.problem for row in _material(data, world, seed, mix, "validation").rows}
    return [row for row in read_samples(data.samples) if row.problem not in held_out]


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
    if Path(name).is_dir():
        return " ".join(["folder", *(content_hash(path) for path in files_of(name))])
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

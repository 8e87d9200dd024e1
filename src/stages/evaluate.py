"""Answer every question of a benchmark, or take saved completions; judge them, and keep every record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from src.common.errors import UserError
from src.common.seeds import stream
from src.common.timeout import limit
from src.data import sources
from src.data.chat import Chat, decode
from src.data.completions import Completion, read_completions, splits_without_golds
from src.data.readers import BadData
from src.data.records import Question
from src.models.load import load_model, load_tokenizer
from src.pipeline.stage import Stage
from src.rollout.engines.build import alone, build_engine, sampling_of
from src.rollout.judge import Judge
from src.store.provenance import scoring


@dataclass(frozen=True)
class Part:
    """What is answered, judged and kept at a time: questions of one split and language, or their completions."""

    name: str
    split: str
    language: str
    questions: list[Question]
    completions: list[Completion]


def run(stage: Stage) -> None:
    """Write `records.parquet`, a row for each completion. Finished parts are kept when interrupted."""
    config, ranks = stage.config, stage.ranks
    saved = config.benchmark.completions is not None
    # 1. The parts, the unit of work: of a benchmark's questions, or of saved completions.
    parts = _of_completions(stage) if saved else _of_questions(stage)
    folder = stage.directory / "parts"
    todo = [part for part in parts if not (folder / f"{part.name}.parquet").is_file()]
    ranks.wait()  # all ranks have seen the same parts before any of them adds one
    _check_parts(config.benchmark.weights, parts)
    with (
        Judge(config.detector, config.grader, config.model.thinks) as judge,
        stage.progress(len(parts), "part", len(parts) - len(todo)) as advance,
    ):
        # 2. Every gold answer must be right against itself before anything is asked.
        judge.check_golds([question for part in parts for question in part.questions])
        answer = (lambda part: part.completions) if saved or not todo else _model(stage)
        # First parts of all languages, then second ones: a rank keeps to its languages, whose words it remembers.
        for part in ranks.share(sorted(todo, key=lambda part: part.name.rpartition("-")[2])):
            # 3. Answer, and judge what came; the published verdicts stand beside ours.
            answers = answer(part)
            asked, texts = [item.question for item in answers], [item.text for item in answers]
            judged = judge(
                asked, texts, [item.tokens for item in answers],
                [_truncated(item, config.model.thinks) for item in answers],
            )  # fmt: skip
            rows = [
                {"split": item.split, "part": item.question.part, "problem": item.question.problem,
                 "language": item.question.language, "sample": item.sample, "question": item.question.question,
                 **verdict.record(), **published}
                for item, verdict, published in zip(answers, judged, judge.published(asked, texts), strict=True)
            ]  # fmt: skip
            _write(rows, folder / f"{part.name}.parquet")
            advance(min(ranks.size, len(todo)), part.name)
    # 4. All records in one file, stamped with the rule that scored them.
    ranks.wait()
    if ranks.main:
        import pandas

        whole = pandas.concat(
            [pandas.read_parquet(folder / f"{part.name}.parquet") for part in parts], ignore_index=True
        )
        _write(whole, stage.directory / "records.parquet")


def _check_parts(weights: Mapping[str, float], parts: Sequence[Part]) -> None:
    """Where parts are weighed, every question must be of one that has a weight, before anything is asked."""
    for question in (question for part in parts for question in part.questions if weights):
        if question.part not in weights:
            raise BadData(
                f"problem {question.problem} ({question.language}): part {question.part!r} must be one of "
                f"{', '.join(weights)}, those that benchmark.weights weighs. Give each row its part, or its weight there"
            )


def _of_questions(stage: Stage) -> list[Part]:
    config, evaluation = stage.config, stage.config.evaluation
    parts = []
    for split in evaluation.splits:
        questions = sources.evaluation_questions(
            config.benchmark, config.world, split, evaluation.languages, evaluation.problems
        )
        for code in evaluation.languages:
            own = [question for question in questions if question.language == code]
            for start in range(0, len(own), evaluation.questions_per_part):
                chunk = own[start : start + evaluation.questions_per_part]
                parts.append(Part(f"{split}-{code}-{start:05d}", split, code, chunk, []))
    return parts


def _of_completions(stage: Stage) -> list[Part]:
    config, evaluation = stage.config, stage.config.evaluation
    path, default = str(config.benchmark.completions), evaluation.splits[0]
    known = {}
    for split in splits_without_golds(path, default):
        if split not in config.benchmark.splits():
            raise BadData(
                f"{path}: rows of split {split} have no gold answer, and the benchmark has no such split, only "
                f"{', '.join(config.benchmark.splits())}. Give the gold answers in the rows"
            )
        languages = list(config.benchmark.languages())
        known[split] = sources.evaluation_questions(config.benchmark, config.world, split, languages, None)
    found = read_completions(path, known, default)
    strange = sorted({item.question.language for item in found} - set(config.detector.languages))
    if strange:
        raise BadData(
            f"{path}: holds completions for questions in {', '.join(strange)}, which the detector does not tell apart; "
            "add them to detector.languages"
        )
    found = _counted(stage, found)
    size = evaluation.questions_per_part * 4
    parts = []
    for split, code in dict.fromkeys((item.split, item.question.language) for item in found):
        own = [item for item in found if (item.split, item.question.language) == (split, code)]
        for start in range(0, len(own), size):
            chunk = own[start : start + size]
            parts.append(Part(f"{split}-{code}-{start:05d}", split, code, [item.question for item in chunk], chunk))
    return parts


def _counted(stage: Stage, found: list[Completion]) -> list[Completion]:
    """With the tokens of `benchmark.tokenizer`, where it is given and the file has none."""
    name = stage.config.benchmark.tokenizer
    if name is None or all(item.tokens is not None for item in found):
        return found
    try:
        tokenizer = load_tokenizer(name, stage.config.model)
    except UserError as error:
        raise BadData(f"benchmark.tokenizer must be the folder or hub name of a model; {error}") from None
    counts = [len(ids) for ids in tokenizer([item.text for item in found], add_special_tokens=False)["input_ids"]]
    return [
        item if item.tokens is not None else replace(item, tokens=count)
        for item, count in zip(found, counts, strict=True)
    ]


def _truncated(item: Completion, thinks: bool) -> bool:
    """As the file or the sampler says; where nobody says, a trace that never closes was cut off."""
    return item.truncated if item.truncated is not None else thinks and "</think>" not in item.text


def _model(stage: Stage) -> Callable[[Part], list[Completion]]:
    """The model behind a rollout engine, as a function that answers a part."""
    config = stage.config
    tokenizer = load_tokenizer(stage.planned.model, config.model)
    model = load_model(stage.planned.model, config.model).to(stage.ranks.device)
    engine = build_engine(alone(config.rollout), model, tokenizer)
    chat = Chat.of(tokenizer, config.data.instruction, config.model)
    samples = config.evaluation.samples

    def answer(part: Part) -> list[Completion]:
        streams = [
            stream("evaluate", config.evaluation.seed, config.seed, part.split, part.language, question.problem)
            for question in part.questions
        ]
        prompts = [chat.prompt(question) for question in part.questions]
        with limit(
            config.rollout.timeout_s, f"the answers of part {part.name} from engine {engine.name}",
            "raise rollout.timeout_s, or ask fewer at a time with evaluation.questions_per_part", stage.ranks.rank,
        ):  # fmt: skip
            groups = engine.generate(prompts, streams, samples, sampling_of(config.rollout))
        return [
            Completion(
                question, part.split, sample, decode(tokenizer, rollout.said), len(rollout.tokens), rollout.truncated
            )
            for question, group in zip(part.questions, groups, strict=True)
            for sample, rollout in enumerate(group)
        ]

    return answer


def _write(rows: Any, path: Path) -> None:
    import io

    import pandas
    import pyarrow
    import pyarrow.parquet

    from src.common.files import replace_durably

    table = pyarrow.Table.from_pandas(pandas.DataFrame(rows), preserve_index=False)
    stamped = (table.schema.metadata or {}) | {b"scoring": json.dumps(scoring()).encode()}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(stamped), buffer, compression="zstd")
    replace_durably(path, buffer.getvalue())

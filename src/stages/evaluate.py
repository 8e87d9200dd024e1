"""Answer every question of a benchmark, or take saved completions; judge them, and keep every record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from src.common.checksums import note_checksum, noted_damage
from src.common.console import note
from src.common.errors import UserError
from src.common.seeds import derive_seed
from src.config.schema import Config
from src.data import sources
from src.data.chat import Chat
from src.data.completions import Completion, languages_to_look_up, read_completions
from src.data.formats import read_rows
from src.data.readers import BadData
from src.data.records import Question
from src.grading.grader import Grader
from src.grading.spec import Status
from src.language.trace import split_trace
from src.models.load import load_model, load_tokenizer, pad_token
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Declaration, Stage
from src.rewards.base import Sample
from src.rollout.asking import Asking, asked_by
from src.rollout.engines.build import build_engine, one_engine_per_rank
from src.rollout.generate import EngineUnderLimit, answer_questions
from src.rollout.judge import Judge
from src.rollout.strange import note_of
from src.store.directory import PARTS, RECORDS
from src.store.provenance import scoring
from src.store.records import EVALUATION, NOTES, SEEN, Row, of_sample, read_table, table, write_table
from src.store.seen import seen_languages
from src.training.mismatch import Probe

INPUTS = (
    "seed",
    "benchmark",
    "data.instruction",
    "world",
    "evaluation",
    "rollout",
    "detector",
    "grader",
    "model.thinks",
    "model.think",
)


BAD_GOLDS = 0.05  # share of problems whose gold answer may be malformed: they are left out; more stop the run


@dataclass(frozen=True)
class Part:
    """What is answered, judged and kept at a time: questions of one split and language, or their completions."""

    name: str
    split: str
    language: str
    questions: list[Question]
    completions: list[Completion]


@dataclass(frozen=True)
class Answer:
    """The `number`-th completion of a question, judged."""

    question: Question
    number: int
    sample: Sample


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage."""
    return Declaration(INPUTS + asked_by(config), scored=True, prompts=config.benchmark.completions is None)


def preflight(look: Look) -> None:
    """The files of the benchmark are there and its gold answers good enough, and a model can be asked its questions. Saved
    completions are read by the stage itself, before it judges any: no training comes before."""
    config = look.config
    if config.benchmark.completions is not None:
        return
    look.check_model()
    asked: list[tuple[str, Question]] = []
    for split in config.evaluation.splits:
        with look.attempt(f"the benchmark, split {split}"):
            languages, problems = config.evaluation.languages, config.evaluation.problems
            questions = sources.evaluation_questions(config.benchmark, config.world, split, languages, problems)
            look.notes += _not_asked(config, split, questions)
            _check_parts(config.benchmark.weights, [Part("", split, "", questions, [])])
            asked += [(split, question) for question in questions]
    with look.attempt("gold answers"), Grader(config.grader, config.model.thinks) as grader:
        rows = [(question.gold, question.language, question.kind) for _, question in asked]
        bad, _ = _not_right(asked, grader.grade_gold_answers(rows))
        if _too_many(bad, asked):
            look.check_golds(list(bad.values()))
    look.check_prompts([question for _, question in asked], config.rollout.maximum_new_tokens)
    look.check_engine()


def run(stage: Stage) -> None:
    """Write `records.parquet`, a row for each completion. Finished parts are kept when interrupted."""
    config = stage.config
    ranks = stage.ranks
    saved = config.benchmark.completions is not None
    # 1. The parts, the unit of work: of a benchmark's questions, or of saved completions.
    parts = _of_completions(stage) if saved else _of_questions(stage)
    absent = [] if saved else _absent(config, parts)
    _check_parts(config.benchmark.weights, parts)
    with Judge(config.detector, config.grader, config.model.thinks) as judge:
        # 2. Every gold answer must be right against itself before anything is asked.
        parts, notes = _with_good_golds(parts, judge, stage)
        notes = [*absent, *notes]
        folder = stage.directory / PARTS
        todo = [part for part in parts if not _is_kept(folder / f"{part.name}.parquet", ranks.main)]
        ranks.barrier()  # all ranks have seen the same parts before any of them adds one
        with stage.progress(len(parts), "part", len(parts) - len(todo)) as advance:
            answer = _judge_saved(stage, judge) if saved or not todo else _ask_model(stage, judge)
            # First parts of all languages, then second ones: a rank keeps to its languages, whose words it remembers.
            for part in ranks.shard(sorted(todo, key=lambda part: part.name.rpartition("-")[2])):
                # 3. Answer and judge; the published verdicts stand beside ours.
                rows = _rows(part, answer(part), judge, config.benchmark.published_languages())
                write_table(folder / f"{part.name}.parquet", table(rows, EVALUATION), _stamp())
                note_checksum(folder / f"{part.name}.parquet")
                advance(min(ranks.size, len(todo)), part.name)
    # 4. All records in one file, stamped with the rule that scored them and what the user must know.
    ranks.barrier()
    if ranks.main:
        import pyarrow

        records = pyarrow.concat_tables([read_table(folder / f"{part.name}.parquet", EVALUATION) for part in parts])
        texts, cut = (records[name].to_pylist() for name in ("completion", "truncated"))
        if strange := note_of(texts, cut, config.model.thinks, None if saved else config.rollout.maximum_new_tokens):
            note(strange)
            notes = [*notes, strange]
        seen = seen_languages(stage.planned.model) if not saved else None
        write_table(stage.directory / RECORDS, records, _stamp() | {NOTES: notes, SEEN: seen})


def _is_kept(path: Path, say: bool) -> bool:
    """Whether a part is there and whole; one that is damaged is said, and made again."""
    if not path.is_file():
        return False
    wrong = noted_damage(path)
    if wrong is None:
        try:
            read_table(path, EVALUATION)
        except (OSError, ValueError) as error:
            wrong = f"{path} cannot be read ({type(error).__name__})"
    if wrong and say:
        note(f"{wrong}: the part is made again")
    return wrong is None


def _with_good_golds(parts: Sequence[Part], judge: Judge, stage: Stage) -> tuple[list[Part], list[str]]:
    """The parts without the problems whose gold answer no completion could equal, in any language, and notes on those.

    A comparison that timed out or failed says nothing about the gold answer: such a problem stays.

    Raises:
        BadGoldAnswer: they are more than `BAD_GOLDS` of the problems.
    """
    questions = [(part.split, question) for part in parts for question in part.questions]
    bad, late = _not_right(questions, judge.gold_verdicts([question for _, question in questions]))
    if _too_many(bad, questions):
        judge.check_gold_answers(list(bad.values()))
    notes = []
    if bad:
        named = "; ".join(
            f"{problem} (gold {question.gold!r:.60})" for (_, problem), question in list(bad.items())[:20]
        )
        more = f" and {len(bad) - 20} more" if len(bad) > 20 else ""
        notes.append(f"left out, for the gold answer is not right against itself: {_name(stage.config)} {named}{more}")
    if late:
        names = ", ".join(list(late)[:20])
        notes.append(
            f"the gold answer of {len(late)} problems ({names}) took longer than grader.timeout to compare with itself: their "
            "completions may be counted as timeouts; raise grader.timeout"
        )
    for line in notes if stage.ranks.main else []:
        note(line)
    return [left for part in parts if (left := _without(part, bad)).questions], notes


def _not_right(
    questions: Sequence[tuple[str, Question]], verdicts: Sequence[Status]
) -> tuple[dict[tuple[str, str], Question], dict[str, None]]:
    """(split, problem) of gold answers that are not right against themselves, with the first question that has it; and the
    problems whose comparison came to no verdict."""
    bad: dict[tuple[str, str], Question] = {}
    late: dict[str, None] = {}
    for (split, question), status in zip(questions, verdicts, strict=True):
        if status in (Status.WRONG, Status.UNPARSED):
            bad.setdefault((split, question.problem), question)
        elif status is not Status.RIGHT:
            late.setdefault(question.problem)
    return bad, late


def _too_many(bad: Collection[tuple[str, str]], questions: Sequence[tuple[str, Question]]) -> bool:
    return len(bad) > BAD_GOLDS * len({(split, question.problem) for split, question in questions})


def _without(part: Part, bad: Collection[tuple[str, str]]) -> Part:
    return replace(
        part,
        questions=[question for question in part.questions if (part.split, question.problem) not in bad],
        completions=[item for item in part.completions if (part.split, item.question.problem) not in bad],
    )


def _rows(part: Part, answers: Sequence[Answer], judge: Judge, languages: tuple[str, ...]) -> list[Row]:
    questions = [answer.question for answer in answers]
    published = judge.published(questions, [answer.sample.completion for answer in answers], languages)
    return [
        {
            "split": part.split,
            "part": question.part,
            "problem": question.problem,
            "language": question.language,
            "sample": answer.number,
            "question": question.question,
            **of_sample(answer.sample),
            "logprob_mean": _logprob_mean(answer.sample),
            **verdicts,
        }
        for question, answer, verdicts in zip(questions, answers, published, strict=True)
    ]


def _logprob_mean(sample: Sample) -> float | None:
    return float(sample.logprobs.mean()) if sample.logprobs is not None and len(sample.logprobs) else None


def _name(config: Config) -> str:
    """What is scored, in a word: the file of completions, or the benchmark."""
    benchmark = config.benchmark
    return type(benchmark).__name__.lower() if benchmark.completions is None else Path(benchmark.completions).name


def _stamp() -> dict[str, dict[str, str]]:
    return {"scoring": scoring()}


def _check_parts(weights: Mapping[str, float], parts: Sequence[Part]) -> None:
    """Where parts are weighed, every question must be of one that has a weight, before anything is asked."""
    for question in (question for part in parts for question in part.questions if weights):
        if question.part not in weights:
            raise BadData(
                f"problem {question.problem} ({question.language}): part {question.part!r} must be one of "
                f"{', '.join(weights)}, those that benchmark.weights weighs. Give each row its part, or its weight there"
            )


def _of_questions(stage: Stage) -> list[Part]:
    config = stage.config
    evaluation = stage.config.evaluation
    parts = []
    for split in evaluation.splits:
        questions = sources.evaluation_questions(
            config.benchmark, config.world, split, evaluation.languages, evaluation.problems
        )
        for code in evaluation.languages:
            own = [question for question in questions if question.language == code]
            for start in range(0, len(own), evaluation.questions_per_part):
                chunk = own[start : start + evaluation.questions_per_part]
                parts.append(Part(f"{split}-{code}-{start:05d}+{len(chunk)}", split, code, chunk, []))
    return parts


def _absent(config: Config, parts: Sequence[Part]) -> list[str]:
    """`_not_asked` of every split."""
    return [
        line
        for split in config.evaluation.splits
        for line in _not_asked(config, split, [row for part in parts if part.split == split for row in part.questions])
    ]


def _not_asked(config: Config, split: str, questions: Sequence[Question]) -> list[str]:
    """A line on the languages of the evaluation in which a split has no question; none where it has all.

    Raises:
        BadData: it has no question in any of them.
    """
    there = {question.language for question in questions}
    without = [code for code in config.evaluation.languages if code not in there]
    if not without:
        return []
    name = _name(config)
    if not there:
        raise BadData(
            f"benchmark={name}, split {split}: must have questions in a language of the evaluation; it has none in "
            f"{', '.join(without)}. Set evaluation.languages to those it has"
        )
    held = [code for code in config.evaluation.languages if code in there]
    return [
        f"no question in {', '.join(without)}: benchmark={name}, split {split}, has none, so no table counts them. "
        f"evaluation.languages=[{','.join(held)}] asks for what there is"
    ]


def _of_completions(stage: Stage) -> list[Part]:
    config = stage.config
    evaluation = stage.config.evaluation
    path = str(config.benchmark.completions)
    default = evaluation.splits[0]
    rows = read_rows(Path(path), config.benchmark.layout)
    known = {
        split: _looked_up(stage, path, split, codes)
        for split, codes in languages_to_look_up(rows, default).items()
        if codes is not None or split in config.benchmark.splits()
    }
    completions = read_completions(path, known, default, rows=rows)
    strange = sorted({item.question.language for item in completions} - set(config.detector.languages))
    if strange:
        raise BadData(
            f"{path}: holds completions for questions in {', '.join(strange)}, which the detector does not tell apart; "
            "add them to detector.languages"
        )
    completions = _counted(stage, completions)
    size = evaluation.questions_per_part * 4
    parts = []
    for split, code in dict.fromkeys((item.split, item.question.language) for item in completions):
        own = [item for item in completions if (item.split, item.question.language) == (split, code)]
        for start in range(0, len(own), size):
            chunk = own[start : start + size]
            name = f"{split}-{code}-{start:05d}+{len(chunk)}"  # parts of another size are others
            parts.append(Part(name, split, code, [item.question for item in chunk], chunk))
    return parts


def _looked_up(stage: Stage, path: str, split: str, codes: Sequence[str] | None) -> list[Question]:
    """The benchmark's questions of a split in the languages that rows name, or where they name none in those of the
    evaluation."""
    config = stage.config
    there = config.benchmark.languages()
    if split not in config.benchmark.splits():
        raise BadData(
            f"{path}: rows of split {split} have no gold answer, and the benchmark has no such split, only "
            f"{', '.join(config.benchmark.splits())}. Give the gold answers in the rows"
        )
    chosen = [code for code in (config.evaluation.languages if codes is None else codes) if code in there]
    try:
        return sources.evaluation_questions(config.benchmark, config.world, split, chosen, None)
    except UserError as error:
        if codes is not None:
            raise
        note(f"{path}: its rows name no language, and the benchmark that could tell cannot be read: {error}")
        return []


def _counted(stage: Stage, completions: list[Completion]) -> list[Completion]:
    """With the tokens of `benchmark.tokenizer`, where it is given and the file has none."""
    name = stage.config.benchmark.tokenizer
    if name is None or all(item.tokens is not None for item in completions):
        return completions
    try:
        tokenizer = load_tokenizer(name, stage.config.model)
    except UserError as error:
        raise BadData(f"benchmark.tokenizer must be the folder or hub name of a model; {error}") from None
    counts = [len(ids) for ids in tokenizer([item.text for item in completions], add_special_tokens=False)["input_ids"]]
    return [
        item if item.tokens is not None else replace(item, tokens=count)
        for item, count in zip(completions, counts, strict=True)
    ]


def _judge_saved(stage: Stage, judge: Judge) -> Callable[[Part], list[Answer]]:
    """Judges the completions of a part as they were saved."""
    thinks = stage.config.model.thinks

    def answer(part: Part) -> list[Answer]:
        rows = part.completions
        samples = judge(
            [row.question for row in rows],
            [row.text for row in rows],
            [row.tokens for row in rows],
            [_truncated(row, thinks) for row in rows],
        )
        return [Answer(row.question, row.sample, sample) for row, sample in zip(rows, samples, strict=True)]

    return answer


def _truncated(item: Completion, thinks: bool) -> bool:
    """As the file says; where it does not, a trace that never closes was cut off."""
    return item.truncated if item.truncated is not None else thinks and not split_trace(item.text).closed


def _ask_model(stage: Stage, judge: Judge) -> Callable[[Part], list[Answer]]:
    """The model behind a rollout engine, as a function that answers a part."""
    config = stage.config
    tokenizer = load_tokenizer(stage.planned.model, config.model)
    model = load_model(stage.planned.model, config.model, stage.ranks.device)
    engine = build_engine(one_engine_per_rank(config.rollout), model, tokenizer)
    chat = Chat.of(tokenizer, config.data.instruction, config.model)
    samples = config.evaluation.samples
    sampling = config.evaluation.sampling(config.rollout)
    probe = Probe(model, engine, sampling, config.model.dtype, pad_token(tokenizer), stage.ranks.device)

    def answer(part: Part) -> list[Answer]:
        generate = EngineUnderLimit(
            engine,
            sampling,
            stage.ranks.rank,
            f"the answers of part {part.name}",
            "raise rollout.timeout_s, or ask fewer at a time with evaluation.questions_per_part",
        )
        seeds = [
            derive_seed("evaluate", config.evaluation.seed, config.seed, part.split, part.language, question.problem)
            for question in part.questions
        ]
        asking = Asking(config.strategy)
        trajectories = answer_questions(probe.checked(generate), chat, judge, part.questions, seeds, samples, asking)
        return [
            Answer(trajectory.question, index % samples, trajectory.sample)
            for index, trajectory in enumerate(trajectories)
        ]

    return answer

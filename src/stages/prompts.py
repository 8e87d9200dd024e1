"""The questions of reinforcement learning: gathered, each problem once, none of a benchmark's, as hard as they should be."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from src.common import console
from src.common.checksums import note_checksum, noted_damage
from src.common.errors import UserError
from src.common.files import replace_durably
from src.common.seeds import derive_seed
from src.config.schema import Config
from src.data import card, question_sets
from src.data.chat import Chat
from src.data.readers import json_lines
from src.data.records import Question, write_records
from src.data.selection import choose
from src.data.selection.choose import REASONS, Dropped, shuffle_key
from src.data.selection.groups import problem_groups
from src.data.traces.filters import example
from src.models.load import load_model, load_tokenizer, pad_token
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Declaration, Stage
from src.rewards.base import Sample
from src.rollout.asking import Asking, asked_by
from src.rollout.engines.build import build_engine, one_engine_per_rank
from src.rollout.generate import EngineUnderLimit, answer_questions
from src.rollout.judge import Judge
from src.store.directory import CARD, DROPPED, PARTS, PROMPTS, SAMPLES, TABLE
from src.training.mismatch import Probe

INPUTS = ("seed", "prompts", "world", "grader")
OF_ROLLOUTS = ("rollout", "data.instruction", "model")
COLUMNS = ("read", *REASONS, "prompts")


class Selection:
    """Rows, and of those dropped the reasons; a step sees the rows that are left."""

    def __init__(self, rows: Sequence[Question]) -> None:
        self.rows = list(rows)
        self.dropped: Dropped = {}

    @property
    def left(self) -> list[int]:
        return [index for index in range(len(self.rows)) if index not in self.dropped]

    def drop(self, step: Callable[[list[Question]], Dropped]) -> None:
        """Drop what `step` names among the rows that are left."""
        left = self.left
        for place, reason in step([self.rows[index] for index in left]).items():
            self.dropped[left[place]] = reason


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage: with a filter by difficulty, a model rolls out."""
    rolls_out = config.prompts.difficulty.rollouts > 0
    inputs = INPUTS + (OF_ROLLOUTS + asked_by(config) if rolls_out else ())
    return Declaration(inputs, scored=True, prompts=rolls_out, model=rolls_out, split=rolls_out)


def preflight(look: Look) -> None:
    """Sources can be read, and where difficulty is measured a model can be asked their questions."""
    config = look.config
    spec = config.prompts
    rows: list[Question] = []
    for name in spec.sources:
        with look.attempt(f"prompts.sources, {name}"):
            if look.exists(name):
                rows += question_sets.read_all([name], spec.languages, spec.problems, config.world)
    for name in spec.against:
        with look.attempt(f"prompts.against, {name}"):
            question_sets.read(name, world=config.world)
    if spec.difficulty.rollouts:
        look.check_model()
        look.check_prompts(rows, config.rollout.maximum_new_tokens)
        look.check_engine()


def run(stage: Stage) -> None:
    """Leave `prompts.jsonl`, `dropped.jsonl`, `card.md`, `table.txt`, with `samples` `samples.jsonl`; finished parts of the rollouts are kept."""
    config = stage.config
    spec = config.prompts
    seed = config.seed
    # 1. All rows of all sources, and the sets that none of them may stand in.
    selection = Selection(question_sets.read_all(spec.sources, spec.languages, spec.problems, config.world))
    against = {name: question_sets.read(name, world=config.world) for name in spec.against}
    with Judge(config.detector, config.grader, config.model.thinks) as judge:
        # 2. Gold answers, repeated texts, leaks, translations.
        selection.drop(lambda rows: _bad_golds(judge, rows))
        selection.drop(choose.duplicates)
        standing: dict[str, int] = {}
        selection.drop(lambda rows: _leaks(rows, against, standing))
        selection.drop(lambda rows: choose.translations(rows, spec.translations, seed))
        # 3. Difficulty, by rollouts of the current model.
        if spec.difficulty.rollouts:
            selection.drop(lambda rows: _difficulty(stage, judge, rows))
    # 4. As many of each language, in an order that the seed decides.
    selection.drop(lambda rows: choose.balance(rows, spec.balance, spec.per_language, seed))
    stage.ranks.barrier()
    if stage.ranks.main:
        _write(stage, selection, {name: (standing[name], len(rows)) for name, rows in against.items()})


def _bad_golds(judge: Judge, rows: list[Question]) -> Dropped:
    return {
        index: ("bad_gold", row.gold[:60])
        for index, (row, right) in enumerate(zip(rows, judge.gold_answers_right(rows), strict=True))
        if not right
    }


def _leaks(rows: list[Question], against: dict[str, list[Question]], standing: dict[str, int]) -> Dropped:
    dropped, counts = choose.leaks(rows, against)
    standing.update(counts)
    return dropped


def _difficulty(stage: Stage, judge: Judge, rows: list[Question]) -> Dropped:
    """Rows that the model answers right too rarely or too often. Every rank finds the same."""
    spec = stage.config.prompts.difficulty
    folder = stage.directory / PARTS
    pieces = {
        start: rows[start : start + spec.questions_per_part] for start in range(0, len(rows), spec.questions_per_part)
    }
    parts = {f"{start:06d}+{len(piece)}.jsonl": piece for start, piece in pieces.items()}
    todo = [name for name in parts if not _is_kept(folder / name, stage.ranks.main)]
    stage.ranks.barrier()  # all ranks have seen the same parts before any of them adds one
    with stage.progress(len(parts), "part", len(parts) - len(todo)) as advance:
        roll_out = right_rollouts(stage, judge) if todo else None
        for name in stage.ranks.shard(todo):
            assert roll_out is not None
            lines = [
                {"problem": row.problem, "language": row.language, "right": len(right), "rollouts": spec.rollouts}
                | ({"samples": _samples(right, spec.samples)} if spec.samples else {})
                for row, right in zip(parts[name], roll_out(parts[name]), strict=True)
            ]
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            replace_durably(folder / name, text.encode(errors="replace"))
            note_checksum(folder / name)
            advance(min(stage.ranks.size, len(todo)), name.removesuffix(".jsonl"))
    stage.ranks.barrier()
    counted = [line for name in parts for _, line in json_lines(folder / name)]
    right_counts = [int(line["right"]) for line in counted]
    if spec.samples and stage.ranks.main:
        answers = [(row, text) for row, line in zip(rows, counted, strict=True) for text in line["samples"]]
        write_records(stage.directory / SAMPLES, [example(row, text) for row, text in answers])
    return {
        index: ("too_hard" if right < spec.minimum else "too_easy", f"{right} of {spec.rollouts} right")
        for index, right in enumerate(right_counts)
        if not spec.minimum <= right <= spec.highest
    }


def _is_kept(path: Path, say: bool) -> bool:
    """Whether a part is there and whole; one that is damaged is said, and made again."""
    wrong = noted_damage(path) if path.is_file() else None
    if wrong and say:
        console.note(f"{wrong}: the part is made again")
    return path.is_file() and wrong is None


def _samples(right: Sequence[Sample], count: int) -> list[str]:
    """The first completions that are whole, and in the language of their question."""
    return [sample.completion for sample in right if sample.fidelity.in_language and not sample.truncated][:count]


def right_rollouts(stage: Stage, judge: Judge) -> Callable[[list[Question]], list[list[Sample]]]:
    """The model behind a rollout engine, as a function that gives the right rollouts of each question."""
    config = stage.config
    tokenizer = load_tokenizer(stage.planned.model, config.model)
    model = load_model(stage.planned.model, config.model, stage.ranks.device)
    engine = build_engine(one_engine_per_rank(config.rollout), model, tokenizer)
    chat = Chat.of(tokenizer, config.data.instruction, config.model)
    probe = Probe(model, engine, config.rollout, config.model.dtype, pad_token(tokenizer), stage.ranks.device)

    def roll_out(questions: list[Question]) -> list[list[Sample]]:
        generate = EngineUnderLimit(
            engine,
            config.rollout,
            stage.ranks.rank,
            f"rollouts of {len(questions)} prompts",
            "raise rollout.timeout_s",
        )
        seeds = [derive_seed("difficulty", config.seed, row.language, row.problem, row.question) for row in questions]
        samples, asking = config.prompts.difficulty.rollouts, Asking(config.strategy)
        trajectories = answer_questions(probe.checked(generate), chat, judge, questions, seeds, samples, asking)
        right: list[list[Sample]] = [[] for _ in questions]
        for trajectory in trajectories:
            if trajectory.sample.correct:
                right[trajectory.group].append(trajectory.sample)
        return right

    return roll_out


def _write(stage: Stage, selection: Selection, standing: dict[str, tuple[int, int]]) -> None:
    config = stage.config
    folder = stage.directory
    rows = selection.rows
    kept = sorted((rows[index] for index in selection.left), key=lambda row: shuffle_key(row, config.seed))
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    lines = []
    for index, row in enumerate(rows):
        reason, detail = selection.dropped.get(index, ("prompts", ""))
        counts[row.language].update(("read", reason))
        if index in selection.dropped:
            line = {"problem": row.problem, "language": row.language, "reason": reason, "detail": detail}
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    replace_durably(folder / DROPPED, "".join(lines).encode(errors="replace"))
    (folder / PROMPTS).unlink(missing_ok=True)
    if kept:
        write_records(folder / PROMPTS, kept)
    notes = [_several(rows)] + [
        f"{there:,} of {total:,} rows of {question_sets.title(name)} stand in the sources"
        for name, (there, total) in standing.items()
    ]
    replace_durably(folder / CARD, _card(config, stage, kept, counts, notes).encode())
    shown = "\n".join([card.table(counts, COLUMNS), *notes])
    if not kept:
        raise UserError(f"no prompt is left; see {folder / DROPPED}:\n{shown}\nLoosen prompts.*, or add sources")
    note = f"prompts: {folder / PROMPTS}, described in {folder / CARD}"
    replace_durably(folder / TABLE, f"{shown}\n\n{note}\n".encode())


def _several(rows: Sequence[Question]) -> str:
    groups = [group for group in problem_groups(rows) if len({rows[index].language for index in group}) > 1]
    return f"{sum(map(len, groups)):,} rows read are {len(groups):,} problems in several languages"


def _card(config: Config, stage: Stage, kept: list[Question], counts: card.Counts, notes: list[str]) -> str:
    spec = config.prompts
    size: defaultdict[str, list[int]] = defaultdict(list)
    for row in kept:
        size[row.language].append(len(row.question))
    policy = (
        f" Difficulty was measured on the model {stage.planned.inputs['parent']}." if spec.difficulty.rollouts else ""
    )
    sets = {name: [question_sets.title(item) for item in getattr(spec, name)] for name in ("sources", "against")}
    shown = {"seed": config.seed, "prompts": asdict(spec) | sets}
    if spec.difficulty.rollouts:
        shown |= {"rollout": asdict(config.rollout), "data": {"instruction": config.data.instruction}}
    sections = [
        "# Prompts for reinforcement learning",
        f"{len(kept):,} questions from {', '.join(map(question_sets.title, spec.sources))}.{policy}",
        *card.counted(counts, COLUMNS, REASONS),
        *(["## Translations and leaks", "\n".join(f"- {line}" for line in notes)] if notes else []),
        "## Lengths of the questions",
        card.lengths(size, "characters"),
        "## Files",
        card.files(stage.directory, [PROMPTS, DROPPED]),
        "## Settings",
        card.settings(shown),
    ]
    return "\n\n".join(sections) + "\n"

"""Worked examples from a teacher: every question is asked, answers are kept as they come, split, filtered, described."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from src.common.errors import UserError
from src.common.files import replace_durably
from src.common.lock import exclusive
from src.common.seeds import derive_seed
from src.config.schema import Config
from src.data import card, question_sets
from src.data.readers import BadData
from src.data.records import Example, Question, write_records
from src.data.selection.groups import problem_groups
from src.data.traces.answers import Answer, AnswerFile, Request, requests_of
from src.data.traces.asking import ask_all, check_unanswered
from src.data.traces.estimate import estimate, spent
from src.data.traces.filters import REASONS, among_samples, completion_of, example, reason_against
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Declaration, Stage
from src.rollout.judge import Judge
from src.services.http import key_from_environment
from src.services.spec import SERVICE
from src.store.directory import ANSWERS, CARD, DROPPED, SFT, TABLE, TEACHER, VALIDATION

INPUTS = ("seed", "traces", "data.instruction", "world", "detector", "grader", "model.thinks")

AT_ONCE = 256  # answers judged at a time
COLUMNS = ("asked", "examples", "validation", *REASONS)


@dataclass(frozen=True)
class Sifted:
    """A request with what became of it: an example, or the reason for none."""

    request: Request
    answer: Answer | None
    example: Example | None
    reason: str
    detail: str


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage."""
    return Declaration(INPUTS, scored=True, model=False, split=False)


def preflight(look: Look) -> None:
    """Questions can be read, their gold answers are right, and there is a key to ask the teacher with."""
    config = look.config
    questions: list[Question] = []
    with look.attempt("traces.questions"):
        if all(map(look.exists, config.traces.questions)):
            questions = questions_of(config)
    if config.traces.filter.require_right:
        look.check_golds(questions)
    with look.attempt("traces.teacher"):
        if not (answers_folder(config) / ANSWERS).is_file():  # else nothing may be left to ask
            key_from_environment(config.traces.teacher)


def run(stage: Stage) -> None:
    """Leave `sft.jsonl`, `validation.jsonl`, `dropped.jsonl`, `card.md` and `table.txt`.

    The answers themselves lie under `shared/`, in a file for each teacher and its settings: another filter, more
    questions or more samples ask only for what is not there.
    """
    config = stage.config
    with Judge(config.detector, config.grader, config.model.thinks) as judge:
        # 1. Questions whose gold answers are right against themselves: what is asked costs money.
        questions = questions_of(config)
        if config.traces.filter.require_right:
            judge.check_gold_answers(questions)
        requests = requests_of(questions, config.traces.teacher.samples, config.data.instruction)
        # 2. Answers: those there are, and the others from the teacher.
        answers = _answers(stage, requests)
        # 3. Each becomes an example, or is dropped for a reason.
        sifted = sift(config, judge, requests, answers)
    # 4. Translations of a problem are on the same side of the split.
    examples = [item.example for item in sifted if item.example is not None]
    apart = validation_problems(questions, examples, config.traces.validation_share, config.seed)
    _write(stage, sifted, apart)


def questions_of(config: Config) -> list[Question]:
    """The questions of all sets, each text once in a language; ids of several sets are kept apart by the set's name.

    Raises:
        BadData: a language that the detector does not tell apart.
    """
    spec = config.traces
    unique: dict[tuple[str, str], Question] = {}
    for question in question_sets.read_all(spec.questions, spec.languages, spec.problems, config.world):
        unique.setdefault((question.language, question.question), question)
    strange = sorted({code for code, _ in unique} - set(config.detector.languages))
    if strange:
        raise BadData(
            f"traces.questions: holds questions in {', '.join(strange)}, which the detector does not tell apart; add them to "
            "detector.languages, or name others in traces.languages"
        )
    if not unique:
        raise BadData(
            f"traces.questions: no questions in {', '.join(spec.languages)}. Choose among the languages there are"
        )
    return list(unique.values())


def answers_folder(config: Config) -> Path:
    """Where the answers of this teacher with these settings are kept, whatever they are used for."""
    content = json.dumps(config.traces.teacher.answers(), sort_keys=True, default=str)
    return Path(config.root) / config.scale / "shared" / f"answers-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _answers(stage: Stage, requests: Sequence[Request]) -> list[Answer | None]:
    """The answer to each request; asks for those that are not there, after an estimate of what that will take.

    Raises:
        UserError: the estimate exceeds the budget, or the teacher refuses.
    """
    spec = stage.config.traces.teacher
    folder = answers_folder(stage.config)
    with exclusive(folder):
        replace_durably(folder / TEACHER, json.dumps(spec.answers(), indent=1, default=str).encode())
        file = AnswerFile(folder / ANSWERS)
        own = [file.known[request.key] for request in requests if request.key in file.known]
        left = [request for request in requests if request.key not in file.known]
        try:
            if left:
                key = key_from_environment(spec)
                expected = estimate(spec, left, list(file.known.values()), own)
                print(expected.text(spec), flush=True)
                if expected.spent + expected.cost > spec.budget:
                    raise UserError(
                        f"traces.teacher.budget must be at least the estimate, {expected.spent + expected.cost:.2f}; got "
                        f"{spec.budget:g}. Raise it, or ask fewer: traces.problems=2 first gives means to estimate from, "
                        "and its answers are kept"
                    )
                with stage.progress(len(requests), "answer", len(own)) as advance:
                    failed = asyncio.run(ask_all(spec, key, left, file, expected.spent, advance))
                check_unanswered(spec, failed, len(requests))
        finally:
            file.close()
        return [file.known.get(request.key) for request in requests]


def sift(config: Config, judge: Judge, requests: Sequence[Request], answers: Sequence[Answer | None]) -> list[Sifted]:
    """What became of each request, in order of questions and samples."""
    order = sorted(range(len(requests)), key=lambda index: (requests[index].question.language, index))
    sifted: list[Sifted] = []
    for start in range(0, len(order), AT_ONCE):
        sifted += _judged(
            config, judge, [(requests[index], answers[index]) for index in order[start : start + AT_ONCE]]
        )
    later = among_samples(config.traces.filter, [item.example for item in sifted])
    return [
        Sifted(item.request, item.answer, None, reason, "") if reason else item
        for item, reason in zip(sifted, later, strict=True)
    ]


def _judged(config: Config, judge: Judge, pairs: Sequence[tuple[Request, Answer | None]]) -> list[Sifted]:
    split = [("", "unanswered") if answer is None else completion_of(answer) for _, answer in pairs]
    whole = [place for place, (_, reason) in enumerate(split) if not reason]
    questions = [pairs[place][0].question for place in whole]
    tokens = [answer.completion_tokens if (answer := pairs[place][1]) else 0 for place in whole]
    verdicts = judge(questions, [split[place][0] for place in whole], tokens, [False] * len(whole))
    reasons = {
        place: reason_against(config.traces.filter, question, judged, judge.detector, count)
        for place, question, judged, count in zip(whole, questions, verdicts, tokens, strict=True)
    }
    sifted = []
    for place, (request, answer) in enumerate(pairs):
        reason, detail = reasons.get(place, (split[place][1], ""))
        made = None if reason else example(request.question, split[place][0])
        sifted.append(Sifted(request, answer, made, reason, detail))
    return sifted


def validation_problems(
    questions: Sequence[Question], examples: Sequence[Example], share: float, seed: int
) -> set[tuple[str, str]]:
    """(problem, language) of the examples that are kept apart: `share` of the problems, chosen by the seed.

    Translations are together, also where only the text shows that they are one problem.
    """
    there = {(item.problem, item.language) for item in examples}
    groups = []
    for group in problem_groups(questions):
        if own := {(questions[i].problem, questions[i].language) for i in group} & there:
            groups.append((min(questions[i].problem for i in group), own))
    groups.sort(key=lambda group: derive_seed("validation", seed, group[0]))
    return {key for _, own in groups[: round(share * len(groups))] for key in own}


def _write(stage: Stage, sifted: Sequence[Sifted], apart: set[tuple[str, str]]) -> None:
    folder = stage.directory
    examples = [item.example for item in sifted if item.example is not None]
    parts = {
        SFT: [row for row in examples if (row.problem, row.language) not in apart],
        VALIDATION: [row for row in examples if (row.problem, row.language) in apart],
    }
    for name, rows in parts.items():
        (folder / name).unlink(missing_ok=True)
        if rows:
            write_records(folder / name, rows)
    dropped = [
        {
            "problem": item.request.question.problem,
            "language": item.request.question.language,
            "sample": item.request.sample,
            "reason": item.reason,
            "detail": item.detail,
        }
        for item in sifted
        if item.reason
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in dropped)
    replace_durably(folder / DROPPED, text.encode(errors="replace"))
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in sifted:
        counts[item.request.question.language]["asked"] += 1
        if item.reason:
            counts[item.request.question.language][item.reason] += 1
    for name, column in ((SFT, "examples"), (VALIDATION, "validation")):
        for row in parts[name]:
            counts[row.language][column] += 1
    replace_durably(folder / CARD, _card(stage, sifted, counts).encode())
    shown = card.table(counts, COLUMNS)
    if not parts[SFT]:
        raise UserError(
            f"no answer became an example; see {folder / DROPPED}:\n{shown}\nLoosen traces.filter.*, or ask "
            "another teacher: the answers are kept"
        )
    note = f"examples: {folder / SFT}, described in {folder / CARD}"
    replace_durably(folder / TABLE, f"{shown}\n\n{note}\n".encode())


def _card(stage: Stage, sifted: Sequence[Sifted], counts: card.Counts) -> str:
    config = stage.config
    spec = stage.config.traces
    answers = [item.answer for item in sifted if item.answer is not None]
    times = sorted(answer.time for answer in answers) or ["never"]
    named_models = ", ".join(sorted({answer.model for answer in answers if answer.model})) or "not said"
    prompt = sum(answer.prompt_tokens for answer in answers)
    completion = sum(answer.completion_tokens for answer in answers)
    seconds = sum(answer.seconds for answer in answers) / max(1, len(answers))
    counted = all(answer.counted for answer in answers)
    size: defaultdict[str, list[int]] = defaultdict(list)
    for item in sifted:
        if item.example is not None and item.answer is not None:
            size[item.example.language].append(item.answer.completion_tokens)
    shown = asdict(spec) | {
        "questions": [question_sets.title(name) for name in spec.questions],
        "teacher": {key: value for key, value in asdict(spec.teacher).items() if key not in SERVICE or key == "url"},
    }
    sections = [
        f"# Worked examples from {spec.teacher.model}",
        f"{len(answers):,} answers to {len(sifted):,} requests, between {times[0]} and {times[-1]} UTC; the server "
        f"called itself {named_models}. Questions were asked in their own language (data.instruction="
        f"{config.data.instruction}). {prompt:,} tokens in and {completion:,} out"
        f"{'' if counted else ', partly estimated from bytes'}, {seconds:.1f} seconds an answer, cost "
        f"{spent(spec.teacher, answers):,.2f} at {spec.teacher.price_in:g} and {spec.teacher.price_out:g} for a million.",
        *card.counted(counts, COLUMNS, REASONS),
        "## Lengths of the examples",
        card.lengths(size, "tokens"),
        "## Files",
        card.files(stage.directory, [SFT, VALIDATION, DROPPED]),
        f"The answers are kept in `{answers_folder(config).parent.name}/{answers_folder(config).name}/{ANSWERS}`.",
        "## Settings",
        card.settings({"seed": config.seed, "data": {"instruction": config.data.instruction}, "traces": shown}),
    ]
    return "\n\n".join(sections) + "\n"

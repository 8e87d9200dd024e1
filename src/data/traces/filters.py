"""From an answer to a worked example, or to the reason why it is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from src.data.records import Example, Question
from src.data.traces.answers import Answer
from src.data.traces.repetition import repeated_share
from src.data.traces.spec import FilterSpec
from src.grading.boxes import last_box
from src.grading.spec import Status
from src.language.detector import Detector
from src.language.trace import closing_tag, has_tags, split_trace, without_opening
from src.rewards.base import Sample

# Why an answer is dropped, in the order in which it is asked; the first that holds counts.
REASONS = {
    "unanswered": "the server gave no answer",
    "truncated": "cut off at maximum_tokens",
    "no_trace": "no reasoning, or it never closes",
    "no_answer": "nothing after the reasoning",
    "malformed": "more than one tag that closes thinking, or one that opens it in the middle",
    "no_box": "no complete box in the answer",
    "ungraded": "the comparison timed out or failed",
    "wrong": "not the gold answer",
    "language": "the trace is not in the language of the question",
    "answer_language": "the text of the answer is in another language",
    "foreign_script": "too many letters of another script in the trace",
    "too_short": "shorter than the limit",
    "too_long": "longer than the limit",
    "repetition": "runs in circles",
    "duplicate": "the same completion as another sample",
    "surplus": "more than per_question",
}


def completion_of(answer: Answer) -> tuple[str, str]:
    """(completion, "") of an answer that has reasoning and a text after it, or ("", reason).

    Reasoning comes in a field of its own, or in the content before the tag that closes it (`src.language.trace.TAGS`), with
    or without one that opens it. The completion is what follows the opened `<think>` of a prompt: trace, `</think>`, blank line, answer.
    """
    if answer.finish == "length":
        return "", "truncated"
    trace, text, reason = parts_of(answer.content, answer.reasoning)
    return ("", reason) if reason else (f"{trace}\n</think>\n\n{text}", "")


def parts_of(content: str, reasoning: str = "") -> tuple[str, str, str]:
    """(trace, text after it, reason why it has not one of each, or an empty text) of a content and a reasoning field."""
    closing = closing_tag(content)
    trace = without_opening(content[: closing.start()]) if closing else ""
    text = content[closing.end() :] if closing else content
    if reasoning.strip():  # then thinking tags in the content hold nothing new
        trace = without_opening(reasoning)
    trace = trace.strip()
    text = text.strip()
    if not trace:
        return trace, text, "no_trace"
    if not text:
        return trace, text, "no_answer"
    return trace, text, "malformed" if has_tags(trace) or has_tags(text) else ""


def reason_against(
    spec: FilterSpec, question: Question, sample: Sample, detector: Detector, tokens: int
) -> tuple[str, str]:
    """(reason, detail) why a completion is no example; two empty texts when it is one."""
    split = split_trace(sample.completion)
    reason, detail = reason_of_answer(spec, split.answer, question.gold, sample)
    if reason:
        return reason, detail
    if spec.require_language:
        share = language_share(split.think, question.language, detector)
        if sample.fidelity.detected != question.language or share < spec.minimum_language:
            return "language", f"{sample.fidelity.detected}, {share:.2f} in {question.language}"
        if sample.fidelity.answer_detected not in (None, question.language):
            return "answer_language", str(sample.fidelity.answer_detected)
    if sample.fidelity.foreign_script > spec.maximum_foreign_script:
        return "foreign_script", f"{sample.fidelity.foreign_script:.2f}"
    for unit, length in (("characters", len(sample.completion)), ("tokens", tokens)):
        low = getattr(spec, f"minimum_{unit}")
        high = getattr(spec, f"maximum_{unit}")
        if low is not None and length < low:
            return "too_short", f"{length} {unit}"
        if high is not None and length > high:
            return "too_long", f"{length} {unit}"
    repeated = repeated_share(split.think, question.language, spec.repetition_words)
    return ("repetition", f"{repeated:.2f}") if repeated > spec.maximum_repetition else ("", "")


def reason_of_answer(spec: FilterSpec, answer: str, gold: str, sample: Sample) -> tuple[str, str]:
    """(reason, detail) why the text `answer` is not the right one in a box; two empty texts when it is."""
    if spec.require_boxed and last_box(answer) is None:
        return "no_box", answer[-60:]
    if spec.require_right and sample.grade.status in (Status.TIMEOUT, Status.ERROR):
        return "ungraded", sample.grade.status.value
    if spec.require_right and not sample.correct:
        return "wrong", f"{sample.grade.answer!r:.60} for {gold!r:.60}"
    return "", ""


def language_share(trace: str, code: str, detector: Detector) -> float:
    """The share of the letters in `code`, among those of sentences whose language is known; 0 when there are none."""
    known = [line for line in detector.lines(trace) if line.language is not None]
    total = sum(line.letters for line in known)
    return sum(line.letters for line in known if line.language == code) / total if total else 0.0


def example(question: Question, completion: str) -> Example:
    """The question with the completion to imitate."""
    return Example(
        question.problem,
        question.language,
        question.question,
        question.gold,
        completion,
        kind=question.kind,
        part=question.part,
    )


def among_samples(spec: FilterSpec, examples: Sequence[Example | None]) -> list[str]:
    """Of examples in the order of samples (None: dropped before), the reason why each is one too many, or an empty text."""
    seen: set[Example] = set()
    kept: Counter[tuple[str, str, str]] = Counter()
    reasons = []
    for item in examples:
        reason = ""
        if item is not None:
            key = (item.problem, item.language, item.question)
            if item in seen:
                reason = "duplicate"
            elif spec.per_question is not None and kept[key] >= spec.per_question:
                reason = "surplus"
            else:
                seen.add(item)
                kept[key] += 1
        reasons.append(reason)
    return reasons

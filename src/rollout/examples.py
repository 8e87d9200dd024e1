"""Worked examples, judged as rollouts are: what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from src.data.example_faults import Finding, finding
from src.data.records import TEXT, Example
from src.rollout.judge import Judge


def judge_examples(judge: Judge, examples: Sequence[Example]) -> list[Finding]:
    """What is to be said of each example; of an example without a gold answer the box is compared with nothing. An answer whose trace
    is in one other language is read as that writes numbers; a text that is no answer is not judged."""
    answers = [example for example in examples if example.kind != TEXT]
    samples = judge(
        [_as_written(example) for example in answers],
        [example.completion for example in answers],
        [None] * len(answers),
        [False] * len(answers),
    )
    languages = judge.detector.spec.languages
    judged = iter(
        [finding(example, sample, judge.thinks, languages) for example, sample in zip(answers, samples, strict=True)]
    )
    return [
        Finding(example.problem, example.language, "", "") if example.kind == TEXT else next(judged)
        for example in examples
    ]


def _as_written(example: Example) -> Example:
    """The example as one of the language that its completion is in."""
    codes = example.trace_languages
    return replace(example, language=codes[0]) if len(codes) == 1 else example

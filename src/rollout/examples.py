"""Worked examples, judged as rollouts are: what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

from src.data.example_faults import Finding, finding
from src.data.records import Example
from src.rollout.judge import Judge


def judge_examples(judge: Judge, examples: Sequence[Example]) -> list[Finding]:
    """What is to be said of each example; of an example without a gold answer the box is compared with nothing."""
    samples = judge(
        examples, [example.completion for example in examples], [None] * len(examples), [False] * len(examples)
    )
    languages = judge.detector.spec.languages
    return [
        finding(example, sample, judge.thinks, languages) for example, sample in zip(examples, samples, strict=True)
    ]

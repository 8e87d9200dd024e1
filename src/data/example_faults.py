"""What is wrong with worked examples, found before anything learns from them.

An example teaches its form: a trace in the language of the question, or in that which it declares, closed, and the right
answer in a box. One that does not is trained on like any other, and only the results tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from src.data import card
from src.data.readers import BadData
from src.data.records import Example
from src.data.traces.filters import REASONS, parts_of, reason_of_answer
from src.data.traces.spec import FilterSpec
from src.language.table import OTHER
from src.language.trace import has_tags
from src.rewards.base import Sample

FAULTS = ("no_trace", "no_answer", "malformed", "no_box", "wrong", "language")
NOTED = ("ungraded", "no_gold")  # said, and not held against the example
MEANINGS = {name: REASONS[name] for name in (*FAULTS, "ungraded")} | {
    "no_gold": "no gold answer to compare the box with"
}
_BOXED = FilterSpec()
_SHOWN = 3  # examples of each reason in a message


@dataclass(frozen=True)
class Finding:
    """Why an example is faulty, or (one of `NOTED`) could not be checked; `reason` is empty when nothing is to be said."""

    problem: str
    language: str
    reason: str
    detail: str


def finding(example: Example, sample: Sample, thinks: bool, languages: Collection[str]) -> Finding:
    """What is to be said of an example, whose completion was judged as `sample`; `languages` are those that the detector
    tells apart. A trace whose language is unknown is not held against it."""
    reason, detail = _reason(example, sample, thinks, languages)
    return Finding(example.problem, example.language, reason, detail)


def _reason(example: Example, sample: Sample, thinks: bool, languages: Collection[str]) -> tuple[str, str]:
    if thinks:
        trace, text, reason = parts_of(example.completion)
    else:
        trace = text = example.completion.strip()
        reason = "malformed" if has_tags(text) else ""
    if reason:
        return reason, (text or trace)[-60:]
    noted = "", ""
    reason, detail = reason_of_answer(_BOXED, text, example.gold, sample)
    if reason == "wrong" and not example.gold:
        noted = "no_gold", ""
    elif reason == "ungraded":
        noted = reason, detail
    elif reason:
        return reason, detail
    detected = sample.fidelity.detected
    wanted = example.trace_languages
    unknown = detected is None or (detected == OTHER and not set(wanted) <= set(languages))
    if not unknown and detected not in wanted:
        return "language", f"{detected} for {' or '.join(wanted)}"
    return noted


def is_fault(reason: str) -> bool:
    """Whether a reason is held against an example."""
    return reason in FAULTS


def summary(findings: Sequence[Finding]) -> str:
    """Counts of examples by language and reason, and what the reasons mean."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in findings:
        counts[item.language].update(["examples", item.reason] if item.reason else ["examples"])
    meanings = [f"{name}: {text}" for name, text in MEANINGS.items() if any(row[name] for row in counts.values())]
    return "\n".join([card.table(counts, ("examples", *FAULTS, *NOTED)), *meanings])


def check_share(findings: Sequence[Finding], maximum: float, path: str) -> None:
    """Raise `BadData` when more than the share `maximum` of the examples in the file `path` are faulty."""
    faulty = [item for item in findings if is_fault(item.reason)]
    if len(faulty) <= maximum * len(findings):
        return
    lines = []
    for reason in FAULTS:
        of_reason = [item for item in faulty if item.reason == reason]
        lines += [
            f"  - {reason}: problem {item.problem!r:.60} ({item.language}): {item.detail!r}"
            for item in of_reason[:_SHOWN]
        ]
    raise BadData(
        f"{path}: at most {maximum:.2%} of the worked examples may be faulty (data.maximum_faulty); {len(faulty)} of "
        f"{len(findings)} are, {len(faulty) / len(findings):.2%}:\n{summary(findings)}\nsuch as\n"
        + "\n".join(lines)
        + "\n"
        "Mend or leave out those rows, or raise data.maximum_faulty to train on them as they are"
    )

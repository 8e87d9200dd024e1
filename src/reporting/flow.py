"""In which language rollouts are, over training, by the language of the question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.store.rollouts import rollouts_file, steps_of

UNKNOWN = "unknown"  # too short or too mixed to tell
BINS = 40  # points in time, so that each has enough rollouts
READ = 240  # files that are read of one run, evenly over training


@dataclass(frozen=True)
class Flow:
    """`shares[language][detected]` has a share of rollouts for each of `steps[language]`, the middles of spans of GRPO steps;
    the shares of one language of the question add up to 1 at every step. `detected` is a code, `other` or `unknown`."""

    steps: dict[str, list[float]]
    shares: dict[str, dict[str, list[float]]]


def flow_of(folders: Sequence[Path], bins: int = BINS) -> Flow:
    """Of the rollouts in the folders of one or several seeds, which count together; files that cannot be read are left out,
    and so are spans of steps in which a language was not asked."""
    import pyarrow.parquet

    counted: Counter[tuple[int, str, str]] = Counter()
    for folder in folders:
        steps = steps_of(folder)
        for step in steps[:: -(-len(steps) // READ) or 1]:
            try:
                table = pyarrow.parquet.read_table(rollouts_file(folder, step), columns=["language", "detected"])
            except (OSError, ValueError):  # the report says so elsewhere
                continue
            for language, detected in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
                counted[step, language, detected or UNKNOWN] += 1
    width = -(-max((step for step, _, _ in counted), default=0) // bins) or 1
    spans: Counter[tuple[str, int, str]] = Counter()
    for (step, language, detected), count in counted.items():
        spans[language, (step - 1) // width, detected] += count
    flow = Flow({}, {})
    for language in sorted({language for language, _, _ in spans}):
        places = sorted({place for code, place, _ in spans if code == language})
        totals = [
            sum(count for (code, at, _), count in spans.items() if (code, at) == (language, place)) for place in places
        ]
        flow.steps[language] = [place * width + (width + 1) / 2 for place in places]
        flow.shares[language] = {
            detected: [spans[language, place, detected] / total for place, total in zip(places, totals, strict=True)]
            for detected in sorted({detected for code, _, detected in spans if code == language})
        }
    return flow

"""The trials of a sweep with their values, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from src.orchestration.sweep.file import Sweep
from src.orchestration.sweep.search import overrides
from src.orchestration.sweep.trials import Trial


@dataclass(frozen=True)
class Row:
    """A trial with a value; `settings` are those that vary."""

    trial: Trial
    value: float
    results: Mapping[str, float]
    settings: Mapping[str, str]


def ranked(sweep: Sweep, trials: Sequence[Trial], results: Mapping[int, Mapping[str, float]]) -> list[Row]:
    """The trials that have a value, the best first; those that were stopped, whose values are not of the end, come last."""
    sign = -1.0 if sweep.goal == "maximize" else 1.0
    rows = [
        Row(trial, results[trial.number][sweep.metric], results[trial.number], varied_settings(sweep, trial))
        for trial in trials
        if trial.number in results
    ]
    return sorted(rows, key=lambda row: (row.trial.stopped_at > 0, sign * row.value, row.trial.number))


def varied_settings(sweep: Sweep, trial: Trial) -> dict[str, str]:
    """The settings of a trial that the sweep varies, as they are written on its command line."""
    return dict(text.split("=", 1) for text in overrides(sweep, trial.point))

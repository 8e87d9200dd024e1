"""Which trials to stop early, by W&B's hyperband rule (Li et al. 2018, successive halving at fixed bands)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from src.orchestration.sweep.file import Early


def trials_to_stop(early: Early, goal: str, values: Mapping[int, Sequence[float]], running: Iterable[int]) -> list[int]:
    """The `running` trials to stop. `values` are those of every trial so far, in the order they were measured.

    A trial is held to the last band that it has come to: with n trials that came as far, its best value so far (with
    `strict` the one at the band) must be no worse than number floor(n / eta) (from 0) of the values there, from the best.
    """
    sign = -1.0 if goal == "maximize" else 1.0
    losses = {trial: [sign * value for value in series] for trial, series in values.items()}
    stopped = []
    for trial in running:
        own = losses.get(trial, [])
        reached = [band for band in early.bands if band <= len(own)]
        if not reached:
            continue
        band = reached[-1]
        there = sorted(series[band - 1] for series in losses.values() if len(series) >= band)
        threshold = there[int(len(there) / early.eta)]
        if (own[band - 1] if early.strict else min(own)) > threshold:
            stopped.append(trial)
    return stopped

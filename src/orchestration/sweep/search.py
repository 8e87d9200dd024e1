"""What to try next: every point of a grid, points at random, or Bayesian search by a Gaussian process (optuna)."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from src.orchestration.sweep.file import Sweep
from src.orchestration.sweep.parameter import Parameter

if TYPE_CHECKING:
    from optuna.study import Study

SAMPLE_POINTS = 8
STARTUP = 10  # trials at random before a Gaussian process is fitted, as optuna has it


@dataclass(frozen=True)
class Observation:
    """A trial that was asked for: where it lies in the search space, and its value (None: not known yet)."""

    point: Mapping[str, Any]
    value: float | None
    failed: bool = False


def suggest(sweep: Sweep, known: Sequence[Observation], seed: int) -> dict[str, Any]:
    """The next point, setting -> value, given all trials so far (in the order they were asked for).

    The same trials and seed give the same point, in whichever process: a search that was interrupted goes on as it would
    have. Trials without a value count as running; the Gaussian process spreads around them.
    """
    number = len(known)
    if sweep.method == "grid":
        every = itertools.product(*(parameter.values() for parameter in sweep.parameters))
        texts = next(itertools.islice(every, number, None))
        return {p.name: _typed(p, text) for p, text in zip(sweep.parameters, texts, strict=True)}
    import optuna

    study = study_of(sweep, known)
    own = int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:4], "big")
    study.sampler = (
        optuna.samplers.GPSampler(seed=own, n_startup_trials=STARTUP)
        if sweep.method == "bayes"
        else optuna.samplers.RandomSampler(seed=own)
    )
    return dict(study.ask(distributions(sweep)).params)


def sample_points(sweep: Sweep, seed: int) -> list[dict[str, Any]]:
    """A few points from all over the search space, the first that is asked for among them."""
    size = sweep.size()
    if size is None:
        return [suggest(sweep, [], seed + k) for k in range(SAMPLE_POINTS)]
    return [suggest(sweep, [Observation({}, None)] * (k * size // SAMPLE_POINTS), seed) for k in range(SAMPLE_POINTS)]


def study_of(sweep: Sweep, known: Sequence[Observation]) -> Study:
    """The trials as optuna's study, in memory."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    states = optuna.trial.TrialState
    space = distributions(sweep)
    study = optuna.create_study(direction="maximize" if sweep.goal == "maximize" else "minimize")
    for trial in known:
        state = states.FAIL if trial.failed else states.RUNNING if trial.value is None else states.COMPLETE
        study.add_trial(
            optuna.trial.create_trial(
                params=dict(trial.point),
                distributions=space,
                state=state,
                value=trial.value if state is states.COMPLETE else None,
            )
        )
    return study


def distributions(sweep: Sweep) -> dict[str, Any]:
    """Setting -> optuna's distribution."""
    return {parameter.name: _distribution(parameter) for parameter in sweep.parameters}


def _distribution(parameter: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.distribution:
        return FloatDistribution(parameter.low, parameter.high)
    if parameter.options:
        return CategoricalDistribution(parameter.options)
    if parameter.whole:
        return IntDistribution(int(parameter.low), int(parameter.high))
    if parameter.step:
        whole = math.floor((parameter.high - parameter.low) / parameter.step + 1e-9)
        return FloatDistribution(parameter.low, parameter.low + whole * parameter.step, step=parameter.step)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.logarithmic)


def _typed(parameter: Parameter, text: str) -> Any:
    return text if parameter.options else int(text) if parameter.whole else float(text)


def overrides(sweep: Sweep, point: Mapping[str, Any]) -> tuple[str, ...]:
    """The point on a command line, in the order of the file."""
    return tuple(f"{parameter.name}={parameter.text(point[parameter.name])}" for parameter in sweep.parameters)


def importance(sweep: Sweep, known: Sequence[Observation]) -> dict[str, float]:
    """How much of what sets the best quarter of the trials apart is due to each setting, summing to 1 (PED-ANOVA, Watanabe
    et al. 2023); nothing with fewer than ten values or where they are all the same."""
    import optuna

    done = [trial for trial in known if trial.value is not None and not trial.failed]
    varied = [p.name for p in sweep.parameters if len({str(trial.point[p.name]) for trial in done}) > 1]
    if len(done) < 10 or len({trial.value for trial in done}) == 1 or not varied:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
    return dict(optuna.importance.get_param_importances(study_of(sweep, done), evaluator=evaluator, params=varied))

"""W&B's sweep files as this project reads them: which settings vary, how they are searched, and what is fixed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from src.common.errors import UserError, did_you_mean
from src.orchestration.sweep.parameter import CHOSEN, Parameter, is_number, read_parameter

TEXTS = ("name", "description", "project", "entity", "apiVersion")  # W&B's alone
FIELDS = (
    *("program", "method", "metric", "parameters", "command", "early_terminate", "run_cap"),
    *(*TEXTS, "kind", "controller"),
)
LAUNCH = ("job", "scheduler", "image_uri", "launch")
METRIC = ("name", "goal", "target")
METHODS = ("grid", "random", "bayes")
GOALS = ("maximize", "minimize")
PROGRAM = "src.run"
FARTHEST = 2000  # values of the metric that a run may have on the way
ARGUMENTS = "${args_no_hyphens}"


@dataclass(frozen=True)
class Early:
    """W&B's hyperband: of the trials that have come to a band (a count of values), those that are not among the best
    1 / `eta` are stopped. Bands: `bands`, ascending. `strict` compares the value at the band, else the best so far."""

    bands: tuple[int, ...]
    eta: float
    strict: bool = True


@dataclass(frozen=True)
class Sweep:
    """A sweep file. `fixed` are the overrides that all trials share. `metric` is empty where the file has none, as a grid and
    a random search may. A trial that reaches `target` is the last that is asked for."""

    name: str
    method: str
    metric: str
    goal: str
    parameters: tuple[Parameter, ...]
    fixed: tuple[str, ...]
    early: Early | None = None
    run_cap: int | None = None
    target: float | None = None

    def reached(self, value: float) -> bool:
        """Whether a value of the metric is as good as the target."""
        if self.target is None:
            return False
        return value >= self.target if self.goal == "maximize" else value <= self.target

    def size(self) -> int | None:
        """How many trials a grid has."""
        if self.method != "grid":
            return None
        size = 1
        for parameter in self.parameters:
            size *= len(parameter.values())
        return size

    def identity(self) -> dict[str, Any]:
        """What the trials of a sweep have in common, however many of them there are."""
        held: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        for parameter in held["parameters"]:
            if not parameter["distribution"]:  # as a folder has it that is older than distributions
                del parameter["distribution"], parameter["shape"]
        return {key: value for key, value in held.items() if key not in ("run_cap", "target")}


def read(path: Path) -> Sweep:
    """Raises `UserError` with every broken rule: file, field, value and fix."""
    import yaml

    if not path.is_file():
        raise UserError(f"{path}: no such file. Give a sweep file, such as sweeps/alignment_factor.yaml")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{path}: must be YAML; {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: must hold fields such as method, metric and parameters; got {type(content).__name__}")
    violations = [_unknown(key) for key in content if key not in FIELDS]
    violations += [
        f"{key}: must be a text; got {content[key]!r}"
        for key in TEXTS
        if key in content and not isinstance(content[key], str)
    ]
    method = content.get("method")
    if method not in METHODS:
        violations.append(f"method: must be one of {', '.join(METHODS)}; got {method!r}")
    if content.get("program", PROGRAM) != PROGRAM:
        violations.append(f"program: must be {PROGRAM}; got {content['program']!r}")
    metric, goal, target = _metric(content, violations)
    cap = content.get("run_cap")
    if cap is not None and not _count(cap):
        violations.append(f"run_cap: must be a number of trials, at least 1; got {cap!r}")
    fixed, after = _fixed(content.get("command"), violations)
    early = _early(content["early_terminate"], violations) if content.get("early_terminate") is not None else None
    given = content.get("parameters")
    if not isinstance(given, dict) or not given:
        violations.append(f"parameters: must map settings to their values; got {given!r}")
        given = {}
    parameters: list[Parameter] = []
    for name, entry in _flat(given):
        problem, parameter = read_parameter(name, entry)
        if problem:
            violations.append(f"parameters.{name}: {problem}")
        elif any(other.name == name for other in parameters):
            violations.append(f"parameters.{name}: is there twice, nested and with a dot")
        elif method == "grid" and parameter.distribution == CHOSEN:
            violations.append(f"parameters.{name}: a grid goes through all values; leave out probabilities")
        elif method == "grid" and not parameter.values():
            violations.append(
                f"parameters.{name}: a grid needs values, or min and max of int_uniform or q_uniform; got {entry}"
            )
        elif method == "grid" and parameter.distribution:
            parameter = Parameter(name, parameter.values())
        parameters.append(parameter)
    swept = {parameter.name.lstrip("+") for parameter in parameters}
    violations += [
        f"command: {text!r} stands after {ARGUMENTS} and so is what counts, but the sweep searches that setting; leave it out"
        for text in after
        if text.split("=")[0].lstrip("+") in swept
    ]
    if violations:
        raise UserError(f"{path} breaks these rules:\n" + "\n".join(f"  - {line}" for line in violations))
    return Sweep(
        name=path.stem,
        method=str(method),
        metric=metric,
        goal=goal,
        parameters=tuple(parameters),
        fixed=tuple(fixed),
        early=early,
        run_cap=cap,
        target=target,
    )


def _metric(content: Mapping[str, Any], violations: list[str]) -> tuple[str, str, float | None]:
    """Name, goal and target; no name where there is no metric, nor need of one."""
    metric = content.get("metric")
    if metric is None and content.get("method") != "bayes" and content.get("early_terminate") is None:
        return "", "maximize", None
    if not isinstance(metric, dict) or not isinstance(metric.get("name"), str):
        violations.append(
            f"metric: must have a name, such as dev/right_and_in_language; got {metric!r}. Only a grid and a random search "
            "without early_terminate can do without"
        )
        return "", "maximize", None
    violations += [f"metric.{key}: no such field here.{_hint(key, METRIC)}" for key in metric if key not in METRIC]
    goal = metric.get("goal", "minimize")
    if goal not in GOALS:
        violations.append(f"metric.goal: must be one of {', '.join(GOALS)}; got {goal!r}")
    target = metric.get("target")
    if target is not None and not is_number(target):
        violations.append(f"metric.target: must be a number; got {target!r}")
    return metric["name"], str(goal), target


def _flat(parameters: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name and entry of each setting; nested ones have the names of their parents before theirs, with dots."""
    for key, entry in parameters.items():
        name = f"{prefix}{key}"
        inner = entry.get("parameters") if isinstance(entry, Mapping) and len(entry) == 1 else None
        if isinstance(inner, Mapping) and inner:
            yield from _flat(inner, f"{name}.")
        else:
            yield name, entry


def _unknown(key: object) -> str:
    """Why a field is none here."""
    if key in LAUNCH:
        return (
            f"{key}: is of W&B Launch, which queues trials on its own service; leave it out, and for jobs on a cluster add "
            "cluster=slurm_... to the command"
        )
    return f"{key}: no such field.{_hint(key, FIELDS)}"


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _hint(wrong: object, valid: Sequence[str]) -> str:
    """The nearest valid name, or all of them."""
    return did_you_mean(str(wrong), valid) or f" Valid: {', '.join(valid)}"


def _fixed(command: Any, violations: list[str]) -> tuple[list[str], list[str]]:
    """The overrides in `command`, and those of them that stand after what varies; W&B's own default command gives
    --key=value, which Hydra does not take."""
    asked = (
        f"must be a list that runs -m ${{program}} and has {ARGUMENTS} once, which gives key=value as Hydra takes it"
    )
    if not isinstance(command, list) or command.count(ARGUMENTS) != 1:
        violations.append(f"command: {asked}; got {command!r}")
        return [], []
    fixed = [str(part) for part in command if "=" in str(part)]
    strange = [
        str(part)
        for part in command
        if "=" not in str(part)
        and part not in ("-m", "python", "python3", "${env}", "${interpreter}", "${program}", PROGRAM, ARGUMENTS)
    ]
    violations += [f"command: {part!r} is not known here; {asked}" for part in strange]
    return fixed, [str(part) for part in command[command.index(ARGUMENTS) + 1 :] if "=" in str(part)]


def _early(entry: Any, violations: list[str]) -> Early | None:
    known = ("type", "min_iter", "max_iter", "s", "eta", "strict")
    if not isinstance(entry, dict) or entry.get("type") != "hyperband":
        violations.append(f"early_terminate: type must be hyperband; got {entry!r}")
        return None
    violations += [f"early_terminate.{key}: no such field.{_hint(key, known)}" for key in entry if key not in known]
    eta = entry.get("eta", 3)
    strict = entry.get("strict", True)
    first: Any = entry.get("min_iter")
    last: Any = entry.get("max_iter")
    s: Any = entry.get("s")
    if not (is_number(eta) and eta > 1):
        violations.append(f"early_terminate.eta: must be above 1; got {eta!r}")
        return None
    if not isinstance(strict, bool):
        violations.append(f"early_terminate.strict: must be true or false; got {strict!r}")
    if "max_iter" in entry:  # as W&B has it, min_iter does not count beside it
        usable = _count(last) and _count(s) and ("min_iter" not in entry or _count(first))
    else:
        usable = _count(first) and ("s" not in entry or is_number(s))
    if not usable:
        violations.append(
            f"early_terminate: needs min_iter, or max_iter and s, whole and at least 1 each; got {entry}. Beside max_iter and "
            "s min_iter does not count"
        )
        return None
    bands = _bands_below(last, s, eta) if "max_iter" in entry else _bands_from(first, eta)
    if not bands:
        violations.append(
            f"early_terminate: no band is left of max_iter {entry['max_iter']} with eta {eta}; raise max_iter"
        )
        return None
    return Early(tuple(bands), float(eta), strict)


def _bands_below(last: int, s: int, eta: float) -> list[int]:
    """`s` bands, down from `last` / `eta`; none below 1."""
    bands: list[int] = []
    band = last / eta
    while len(bands) < s and band >= 1:
        bands.append(int(band))
        band /= eta
    return sorted(bands)


def _bands_from(first: int, eta: float) -> list[int]:
    """Bands from `first` upwards, as far as runs may come."""
    bands = [int(first * eta**k) for k in range(20)]
    while bands[-1] < FARTHEST and len(bands) < 100:  # W&B has a hundred
        bands.append(int(first * eta ** len(bands)))
    return bands

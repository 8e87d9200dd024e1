"""W&B's sweep files as this project reads them: which settings vary, how they are searched, and what is fixed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from src.common.errors import UserError, did_you_mean
from src.orchestration.sweep.parameter import Parameter, is_number, read_parameter

FIELDS = (
    *("program", "method", "metric", "parameters", "command", "early_terminate", "run_cap"),
    *("name", "description", "project", "entity"),
)
METRIC = ("name", "goal")
METHODS = ("grid", "random", "bayes")
GOALS = ("maximize", "minimize")
PROGRAM = "src.run"
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
    """A sweep file. `fixed` are the overrides that all trials share."""

    name: str
    method: str
    metric: str
    goal: str
    parameters: tuple[Parameter, ...]
    fixed: tuple[str, ...]
    early: Early | None = None
    run_cap: int | None = None

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
        return {key: value for key, value in held.items() if key != "run_cap"}


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
    violations = [f"{key}: no such field.{_hint(key, FIELDS)}" for key in content if key not in FIELDS]
    method = content.get("method")
    metric = content.get("metric") or {}
    if method not in METHODS:
        violations.append(f"method: must be one of {', '.join(METHODS)}; got {method!r}")
    if content.get("program", PROGRAM) != PROGRAM:
        violations.append(f"program: must be {PROGRAM}; got {content['program']!r}")
    if not isinstance(metric, dict) or not isinstance(metric.get("name"), str):
        violations.append(f"metric: must have a name, such as dev/right_and_in_language; got {metric!r}")
        metric = {}
    violations += [f"metric.{key}: no such field here.{_hint(key, METRIC)}" for key in metric if key not in METRIC]
    goal = metric.get("goal", "minimize")
    if goal not in GOALS:
        violations.append(f"metric.goal: must be one of {', '.join(GOALS)}; got {goal!r}")
    cap = content.get("run_cap")
    if cap is not None and not _count(cap):
        violations.append(f"run_cap: must be a number of trials, at least 1; got {cap!r}")
    fixed = _fixed(content.get("command"), violations)
    early = _early(content["early_terminate"], violations) if content.get("early_terminate") is not None else None
    given = content.get("parameters")
    if not isinstance(given, dict) or not given:
        violations.append(f"parameters: must map settings to their values; got {given!r}")
        given = {}
    parameters = []
    for name, entry in given.items():
        problem, parameter = read_parameter(str(name), entry)
        if problem:
            violations.append(f"parameters.{name}: {problem}")
        elif method == "grid" and not parameter.values():
            violations.append(f"parameters.{name}: a grid needs values, or min and max of whole numbers; got {entry}")
        parameters.append(parameter)
    if violations:
        raise UserError(f"{path} breaks these rules:\n" + "\n".join(f"  - {line}" for line in violations))
    return Sweep(
        name=path.stem,
        method=str(method),
        metric=str(metric["name"]),
        goal=str(goal),
        parameters=tuple(parameters),
        fixed=tuple(fixed),
        early=early,
        run_cap=cap,
    )


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _hint(wrong: object, valid: Sequence[str]) -> str:
    """The nearest valid name, or all of them."""
    return did_you_mean(str(wrong), valid) or f" Valid: {', '.join(valid)}"


def _fixed(command: Any, violations: list[str]) -> list[str]:
    """The overrides in `command`; W&B's own default command gives --key=value, which Hydra does not take."""
    asked = (
        f"must be a list that runs -m ${{program}} and ends with {ARGUMENTS}, which gives key=value as Hydra takes it"
    )
    if not isinstance(command, list) or command[-1:] != [ARGUMENTS]:
        violations.append(f"command: {asked}; got {command!r}")
        return []
    fixed = [str(part) for part in command if "=" in str(part)]
    strange = [
        str(part)
        for part in command
        if "=" not in str(part)
        and part not in ("-m", "python", "${env}", "${interpreter}", "${program}", PROGRAM, ARGUMENTS)
    ]
    violations += [f"command: {part!r} is not known here; {asked}" for part in strange]
    return fixed


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
    if _count(first) and last is None:
        bands = [int(first * eta**k) for k in range(20)]
    elif _count(last) and _count(s) and first is None:
        bands = sorted(int(last / eta**k) for k in range(1, s + 1) if last / eta**k >= 1)
    else:
        violations.append(f"early_terminate: needs min_iter, or max_iter and s, whole and at least 1 each; got {entry}")
        return None
    if not bands:
        violations.append(
            f"early_terminate: no band is left of max_iter {entry['max_iter']} with eta {eta}; raise max_iter"
        )
        return None
    return Early(tuple(bands), float(eta), strict)

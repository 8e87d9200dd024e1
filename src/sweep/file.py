"""W&B's sweep files as this project reads them: which settings vary, how they are searched, and what is fixed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from src.errors import UserError

FIELDS = (
    "program", "method", "metric", "parameters", "command", "early_terminate", "run_cap", "name", "description",
    "project", "entity",
)  # fmt: skip
METHODS, GOALS = ("grid", "random", "bayes"), ("maximize", "minimize")
PROGRAM = "src.run"
ARGUMENTS = "${args_no_hyphens}"
# W&B's distributions that are searched here, and the fields of each.
DISTRIBUTIONS = {
    "constant": ("value",),
    "categorical": ("values",),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "q_uniform": ("min", "max", "q"),
    "log_uniform_values": ("min", "max"),
}


@dataclass(frozen=True)
class Parameter:
    """A setting that varies: one of `options` (as written on a command line), or a number from `low` to `high` (with
    `step` between values where it is not 0, `logarithmic` or not, `whole` or not)."""

    name: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    logarithmic: bool = False
    whole: bool = False

    def values(self) -> tuple[str, ...]:
        """All of them, where there are finitely many; else none."""
        if self.options or not (self.whole or self.step):
            return self.options
        step = self.step or 1
        return tuple(
            written(self.low + k * step, self.whole) for k in range(int((self.high - self.low) / step + 1e-9) + 1)
        )


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
        found = 1
        for parameter in self.parameters:
            found *= len(parameter.values())
        return found

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
    found = [f"{key}: no such field.{_near(key, FIELDS)}" for key in content if key not in FIELDS]
    method, metric = content.get("method"), content.get("metric") or {}
    if method not in METHODS:
        found.append(f"method: must be one of {', '.join(METHODS)}; got {method!r}")
    if content.get("program", PROGRAM) != PROGRAM:
        found.append(f"program: must be {PROGRAM}; got {content['program']!r}")
    if not isinstance(metric, dict) or not isinstance(metric.get("name"), str):
        found.append(f"metric: must have a name, such as dev/right_and_in_language; got {metric!r}")
        metric = {}
    goal = metric.get("goal", "minimize")
    if goal not in GOALS:
        found.append(f"metric.goal: must be one of {', '.join(GOALS)}; got {goal!r}")
    cap = content.get("run_cap")
    if cap is not None and not (isinstance(cap, int) and cap >= 1):
        found.append(f"run_cap: must be a number of trials, at least 1; got {cap!r}")
    fixed = _fixed(content.get("command"), found)
    early = _early(content["early_terminate"], found) if content.get("early_terminate") is not None else None
    given = content.get("parameters")
    if not isinstance(given, dict) or not given:
        found.append(f"parameters: must map settings to their values; got {given!r}")
        given = {}
    parameters = []
    for name, entry in given.items():
        problem, parameter = _parameter(str(name), entry)
        if problem:
            found.append(f"parameters.{name}: {problem}")
        elif method == "grid" and not parameter.values():
            found.append(f"parameters.{name}: a grid needs values, or min and max of whole numbers; got {entry}")
        parameters.append(parameter)
    if found:
        raise UserError(f"{path} breaks these rules:\n" + "\n".join(f"  - {line}" for line in found))
    return Sweep(
        path.stem, str(method), str(metric["name"]), str(goal), tuple(parameters), tuple(fixed), early, cap
    )  # fmt: skip


def written(value: Any, whole: bool = False) -> str:
    """A value as it is written on a command line; numbers with six digits."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":")).replace('"', "")
    if isinstance(value, float):
        return str(round(value)) if whole else f"{value:.6g}"
    return str(value)


def _near(wrong: object, valid: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(wrong), valid, n=1)
    return f" Did you mean {close[0]!r}?" if close else f" Valid: {', '.join(valid)}"


def _fixed(command: Any, found: list[str]) -> list[str]:
    """The overrides in `command`; W&B's own default command gives --key=value, which Hydra does not take."""
    asked = (
        f"must be a list that runs -m ${{program}} and ends with {ARGUMENTS}, which gives key=value as Hydra takes it"
    )
    if not isinstance(command, list) or ARGUMENTS not in command:
        found.append(f"command: {asked}; got {command!r}")
        return []
    fixed = [str(part) for part in command if "=" in str(part)]
    strange = [
        str(part)
        for part in command
        if "=" not in str(part)
        and part not in ("-m", "python", "${env}", "${interpreter}", "${program}", PROGRAM, ARGUMENTS)
    ]
    found += [f"command: {part!r} is not known here; {asked}" for part in strange]
    return fixed


def _early(entry: Any, found: list[str]) -> Early | None:
    known = ("type", "min_iter", "max_iter", "s", "eta", "strict")
    if not isinstance(entry, dict) or entry.get("type") != "hyperband":
        found.append(f"early_terminate: type must be hyperband; got {entry!r}")
        return None
    found += [f"early_terminate.{key}: no such field.{_near(key, known)}" for key in entry if key not in known]
    eta, s = entry.get("eta", 3), entry.get("s")
    if not (isinstance(eta, int | float) and eta > 1):
        found.append(f"early_terminate.eta: must be above 1; got {eta!r}")
        return None
    if isinstance(first := entry.get("min_iter"), int) and first >= 1 and "max_iter" not in entry:
        bands = [int(first * eta**k) for k in range(20)]
    elif isinstance(last := entry.get("max_iter"), int) and last >= 1 and isinstance(s, int) and "min_iter" not in entry:
        bands = sorted(int(last / eta**k) for k in range(1, int(s) + 1) if last / eta**k >= 1)
    else:
        found.append(f"early_terminate: needs min_iter, or max_iter and s, at least 1 each; got {entry}")
        return None
    if not bands:
        found.append(f"early_terminate: no band is left of max_iter {entry['max_iter']} with eta {eta}; raise max_iter")
        return None
    return Early(tuple(bands), float(eta), bool(entry.get("strict", True)))


def _parameter(name: str, entry: Any) -> tuple[str, Parameter]:
    """What is wrong with the entry of a setting (empty: nothing), and the setting."""
    none = Parameter(name)
    if not isinstance(entry, Mapping):
        return f"must have value, values, or min and max; got {entry!r}", none
    if "parameters" in entry:
        return (
            "nested parameters become JSON on the command line; write the setting with dots, as schedule.maximum",
            none,
        )
    kind = entry.get("distribution") or _kind(entry)
    if kind not in DISTRIBUTIONS:
        return f"distribution must be one of {', '.join(DISTRIBUTIONS)}; got {kind!r}", none
    wanted = DISTRIBUTIONS[kind]
    strange = [key for key in entry if key not in (*wanted, "distribution")]
    if strange:
        return f"{kind} takes {', '.join(wanted)}; got {', '.join(strange)}", none
    if missing := [key for key in wanted if key not in entry and key != "q"]:
        return f"{kind} needs {', '.join(missing)}", none
    if kind == "constant":
        return "", Parameter(name, (written(entry["value"]),))
    if kind == "categorical":
        values = entry["values"]
        if not isinstance(values, list) or not values:
            return f"values must be a list with something in it; got {values!r}", none
        options = tuple(written(value) for value in values)
        twice = sorted({option for option in options if options.count(option) > 1})
        return (f"values must differ; {twice[0]} is there twice" if twice else ""), Parameter(name, options)
    return _range(name, kind, entry)


def _kind(entry: Mapping[str, Any]) -> str | None:
    """The distribution that W&B takes where none is named."""
    if "values" in entry:
        return "categorical"
    if "value" in entry:
        return "constant"
    if "min" in entry and "max" in entry:
        whole = all(isinstance(entry[key], int) for key in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    return None


def _range(name: str, kind: str, entry: Mapping[str, Any]) -> tuple[str, Parameter]:
    low, high = entry["min"], entry["max"]
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in (low, high)):
        return f"min and max must be numbers; got {low!r} and {high!r} (write 1e-5 as 1.0e-5)", Parameter(name)
    if not low < high:
        return f"min must be below max; got {low} and {high}", Parameter(name)
    logarithmic, whole = kind == "log_uniform_values", kind == "int_uniform"
    if logarithmic and low <= 0:
        return f"min of log_uniform_values must be above 0; got {low}", Parameter(name)
    if whole and not (isinstance(low, int) and isinstance(high, int)):
        return f"min and max of int_uniform must be whole; got {low} and {high}", Parameter(name)
    step = float(entry.get("q", 1.0)) if kind == "q_uniform" else 0.0
    return "", Parameter(name, (), float(low), float(high), step, logarithmic, whole)

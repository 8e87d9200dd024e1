"""A setting that varies in a sweep: the values it may have, as W&B's files say them and as a command line takes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# W&B's distributions that are searched here, and the fields of each.
DISTRIBUTIONS = {
    "constant": ("value",),
    "categorical": ("values",),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "q_uniform": ("min", "max", "q"),
    "log_uniform_values": ("min", "max"),
}
# What Hydra reads as a text inside a list also without quotes.
PLAIN = re.compile(r"(?!(true|false|null|nan|inf)$)[a-z_][\w.-]*", re.IGNORECASE | re.ASCII)


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


def read_parameter(name: str, entry: Any) -> tuple[str, Parameter]:
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
    if kind not in ("constant", "categorical"):
        return _range(name, kind, entry)
    values = entry["values"] if kind == "categorical" else [entry["value"]]
    if not isinstance(values, list) or not values:
        return f"values must be a list with something in it; got {values!r}", none
    options = tuple(map(_option, values))
    if twice := [option for option in options if options.count(option) > 1]:
        return f"values must differ; {twice[0]} is there twice", none
    if strange := [option for option in options if _misread(option)]:
        return f"a value must be one to Hydra too; got {strange[0]}. Put quotes into it: '\"...\"'", none
    return "", Parameter(name, options)


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
    low = entry["min"]
    high = entry["max"]
    step = entry.get("q", 1.0) if kind == "q_uniform" else 0.0
    if not (is_number(low) and is_number(high)):
        return f"min and max must be numbers; got {low!r} and {high!r} (write 1e-5 as 1.0e-5)", Parameter(name)
    if not low < high:
        return f"min must be below max; got {low} and {high}", Parameter(name)
    logarithmic = kind == "log_uniform_values"
    whole = kind == "int_uniform"
    if logarithmic and low <= 0:
        return f"min of log_uniform_values must be above 0; got {low}", Parameter(name)
    if whole and not (isinstance(low, int) and isinstance(high, int)):
        return f"min and max of int_uniform must be whole; got {low} and {high}", Parameter(name)
    if kind == "q_uniform" and not (is_number(step) and 0 < step <= high - low):
        return f"q must be above 0 and at most max - min; got q {step!r}, min {low} and max {high}", Parameter(name)
    if kind == "q_uniform" and abs(low / step - round(low / step)) > 1e-9:
        return f"min must be a multiple of q, as all values of q_uniform are; got {low} and {step}", Parameter(name)
    return "", Parameter(name, (), float(low), float(high), float(step), logarithmic, whole)


def written(value: Any, whole: bool = False) -> str:
    """A value as it is written on a command line: numbers with six digits, a text as it stands (so does W&B's agent)."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return _within(value)
    if isinstance(value, float):
        return str(round(value)) if whole else f"{value:.6g}"
    return str(value)


def _within(value: Any) -> str:
    """A value inside a list, where what Hydra would not read as the text that it is has quotes."""
    if isinstance(value, list):
        return "[" + ",".join(map(_within, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_within(own)}" for key, own in value.items()) + "}"
    if not isinstance(value, str):
        return json.dumps(value, default=str)  # YAML has dates too
    from hydra.core.override_parser.types import Quote, QuotedString

    return value if PLAIN.fullmatch(value) else QuotedString(text=value, quote=Quote.double).with_quotes()


def _option(value: Any) -> str:
    """One of the values that a file lists, with all its digits."""
    text = written(value)
    return text if not isinstance(value, float) or float(text) == value else repr(value)


def _misread(text: str) -> bool:
    """Whether Hydra takes `key=<text>` for several values, or for none."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return bool(OverridesParser.create().parse_override(f"key={text}").is_sweep_override())
    except HydraException:
        return True


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

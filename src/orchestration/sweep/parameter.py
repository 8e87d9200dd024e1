"""A setting that varies in a sweep: the values it may have, as W&B's files say them and as a command line takes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from src.orchestration.sweep.quantiles import DEFAULTS, SHAPES, ends, place, quantile

CHOSEN = "categorical_w_probabilities"
# W&B's distributions, and the fields of each; those in `DEFAULTS` may be left out.
DISTRIBUTIONS = {
    "constant": ("value",),
    "categorical": ("values",),
    CHOSEN: ("values", "probabilities"),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "log_uniform_values": ("min", "max"),
    "inv_log_uniform_values": ("min", "max"),
    **SHAPES,
}
GIVEN_UP = ("log_uniform", "q_log_uniform", "inv_log_uniform")  # by W&B: their ends were exponents
# What Hydra reads as a text inside a list also without quotes.
PLAIN = re.compile(r"(?!(true|false|null|nan|inf)$)[a-z_][\w.-]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Parameter:
    """A setting that varies: one of `options` (as written on a command line), or a number from `low` to `high` (with
    `step` between values where it is not 0, `logarithmic` or not, `whole` or not).

    With a `distribution` what is searched are shares of its probability from `low` to `high` (`quantiles`); its `shape` are
    its numbers, or the probabilities of the options."""

    name: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    logarithmic: bool = False
    whole: bool = False
    distribution: str = ""
    shape: tuple[float, ...] = ()

    def text(self, point: Any) -> str:
        """What a point of the search space is on a command line; an option is itself."""
        if not self.distribution:
            return written(point, self.whole)
        if isinstance(point, str):
            return point
        if self.distribution == CHOSEN:
            return self.options[place(self.shape, point)]
        value = quantile(self.distribution, self.shape, point)
        return _multiple(value, self.shape[2]) if self.distribution.startswith("q_") else written(value)

    def values(self) -> tuple[str, ...]:
        """All of them, where there are finitely many; else none."""
        if self.distribution == "q_uniform":
            first, last, step = self.shape
            return tuple(_multiple(first + k * step, step) for k in range(int((last - first) / step + 1e-9) + 1))
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
        return f"nested parameters must be a mapping of settings and stand alone; got {entry!r}", none
    kind = entry.get("distribution") or _kind(entry)
    if kind in GIVEN_UP:
        return f"{kind} has exponents as its ends, and W&B has given it up; use {kind}_values with the values", none
    if kind not in DISTRIBUTIONS:
        return f"distribution must be one of {', '.join(DISTRIBUTIONS)}; got {kind!r}", none
    wanted = DISTRIBUTIONS[kind]
    strange = [key for key in entry if key not in (*wanted, "distribution")]
    if strange:
        return f"{kind} takes {', '.join(wanted)}; got {', '.join(strange)}", none
    if missing := [key for key in wanted if key not in entry and key not in DEFAULTS]:
        return f"{kind} needs {', '.join(missing)}", none
    if kind in ("normal", "q_normal", "log_normal", "q_log_normal", "beta", "q_beta"):
        return _shaped(name, kind, entry)
    if kind not in ("constant", "categorical", CHOSEN):
        return _range(name, kind, entry)
    values = [entry["value"]] if kind == "constant" else entry["values"]
    if not isinstance(values, list) or not values:
        return f"values must be a list with something in it; got {values!r}", none
    options = tuple(map(_option, values))
    if twice := [option for option in options if options.count(option) > 1]:
        return f"values must differ; {twice[0]} is there twice", none
    if strange := [option for option in options if _misread(option)]:
        return f"a value must be one to Hydra too; got {strange[0]}. Put quotes into it: '\"...\"'", none
    if kind != CHOSEN:
        return "", Parameter(name, options)
    chances = entry["probabilities"]
    if not isinstance(chances, list) or not all(is_number(chance) and chance >= 0 for chance in chances):
        return f"probabilities must be a list of numbers, 0 or more; got {chances!r}", none
    if len(chances) != len(options) or not math.isclose(sum(chances), 1.0, rel_tol=1e-5):
        return f"probabilities must be one for each of {len(options)} values and sum to 1; got {chances}", none
    return "", Parameter(name, options, 0.0, 1.0, distribution=CHOSEN, shape=tuple(map(float, chances)))


def _kind(entry: Mapping[str, Any]) -> str | None:
    """The distribution that W&B takes where none is named."""
    if "values" in entry:
        return CHOSEN if "probabilities" in entry else "categorical"
    if "value" in entry:
        return "constant"
    if "min" in entry and "max" in entry:
        whole = all(isinstance(entry[key], int) for key in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    return None


def _range(name: str, kind: str, entry: Mapping[str, Any]) -> tuple[str, Parameter]:
    low = entry["min"]
    high = entry["max"]
    step = entry.get("q", DEFAULTS["q"]) if kind in SHAPES else 0.0
    if not (is_number(low) and is_number(high)):
        return f"min and max must be numbers; got {low!r} and {high!r} (write 1e-5 as 1.0e-5)", Parameter(name)
    if not low < high:
        return f"min must be below max; got {low} and {high}", Parameter(name)
    logarithmic = kind.endswith("log_uniform_values")  # 1 / a logarithmic number is one between the same ends
    whole = kind == "int_uniform"
    if logarithmic and low <= 0:
        return f"min of {kind} must be above 0; got {low}", Parameter(name)
    if whole and not (isinstance(low, int) and isinstance(high, int)):
        return f"min and max of int_uniform must be whole; got {low} and {high}", Parameter(name)
    if kind in SHAPES and not (is_number(step) and step > 0):
        return f"q must be above 0; got {step!r}", Parameter(name)
    steps = kind == "q_uniform" and step <= high - low and abs(low / step - round(low / step)) < 1e-9
    if kind in SHAPES and not steps:
        shape = (float(low), float(high), float(step))
        return "", Parameter(name, (), *ends(kind), distribution=kind, shape=shape)
    return "", Parameter(name, (), float(low), float(high), float(step), logarithmic, whole)


def _shaped(name: str, kind: str, entry: Mapping[str, Any]) -> tuple[str, Parameter]:
    """A normal or beta distribution, or one made of it."""
    fields = SHAPES[kind]
    shape = [entry.get(key, DEFAULTS[key]) for key in fields]
    for key, value in zip(fields, shape, strict=True):
        if not is_number(value) or (key != "mu" and value <= 0):
            rule = "a number" if key == "mu" else "above 0"
            return f"{key} must be {rule}; got {value!r} (write 1e-5 as 1.0e-5)", Parameter(name)
    return "", Parameter(name, (), *ends(kind), distribution=kind, shape=tuple(map(float, shape)))


def _multiple(value: float, step: float) -> str:
    """A multiple of `step`, or of it and a minimum, without the noise of its last digits."""
    return str(round(value)) if step.is_integer() and value.is_integer() else f"{value:.12g}"


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
    """One of the values that a file lists, with all its digits; a text with an apostrophe or a quotation mark that Hydra
    could not read is put into quotes."""
    text = written(value)
    if isinstance(value, str) and set(value) & set("'\"") and _misread(value):
        from hydra.core.override_parser.types import Quote, QuotedString

        return QuotedString(text=value, quote=Quote.double).with_quotes()
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

"""Units of measure, which leave a value what it is. A letter of a formula is no unit unless it stands in text mode."""

from __future__ import annotations

import re

# Latin letters that are a unit when they follow a number at once; elsewhere letters at a number are variables.
_SYMBOLS = (
    "m g s h l L cm mm km kg mg ml cl dl dm ha ft in mi mph lb lbs oz min sec hr hrs Hz kW kWh W V N J K C F GB MB kB rad "
    "deg st nd rd th bps"
)
SYMBOLS = frozenset(_SYMBOLS.split())
ALONE = frozenset(["m", "g", "s", "h", "l", "L", "t", "N", "J", "W", "V", "C", "F"])  # the same after a blank
_NAMES = (
    r"(?:square |cubic |sq\.? ?|cu\.? ?)?(?:units?|(?:kilo|centi|milli|deci)?(?:met(?:er|re)|gram|lit(?:er|re)|watt)s?|inch(?:es)?|feet"
    r"|foot|yards?|miles?|acres?|pounds?|ounces?|gallons?|hours?|minutes?|seconds?|days?|weeks?|months?|years?|degrees?|radians?"
    r"|dollars?|cents?|euros?|rupees?|mph|kmph|km/h|m/s|cm|mm|km|kg|mg|ml|ft|lbs?|oz|min|sec|hrs?|rad|deg|mètres?|litres?|heures?"
    r"|Meter|Liter|Stunden?|Einheiten|Grad|metros?|litros?|horas?|metri|ore|см|мм|км|кг|м|г|л|米|厘米|千克|公里|平方米|度|個|个|元)"
)
_POWER = r"(?:\s*\^\s*(?:\{\s*-?\d\s*\}|-?\d))?"
_SINGLE = r"[mgshlLtNJWVCFK]"
_IN_TEXT_MODE = re.compile(
    rf"(?<=[\d}})\]a-zA-Z|!])\s*(?:\\[,;: ]|~)*\s*\\(?:text(?:rm|normal)?|mathrm|mbox|hbox|operatorname)\s*\{{\s*(?:{_NAMES}|{_SINGLE})"
    rf"{_POWER}\s*\.?\s*\}}{_POWER}(?=\s*(?:$|[,;.$)\]]|=|\\\)|\\\]|\\(?:text|quad|qquad|right|approx)))"
)
_AT_END = re.compile(
    rf"(?<=[\d}})|!])\s*(?<![a-zA-Z\\]){_NAMES}{_POWER}\s*\.?$|(?<=[a-zA-Z])\s+{_NAMES}{_POWER}\s*\.?$"
)


def without_text_units(latex: str) -> str:
    """LaTeX without the units that stand in text mode after a value: `2\\pi\\text{ m}` is `2\\pi`."""
    return _IN_TEXT_MODE.sub("", latex)


def without_last_unit(formula: str) -> str:
    """A normalised formula without the unit it ends in: `2\\sqrt{3} cm^2` is `2\\sqrt{3}`. Single letters stay: they may
    be variables."""
    return _AT_END.sub("", formula)

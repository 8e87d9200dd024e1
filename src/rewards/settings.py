"""Settings of measures (`reward.measures` in yaml); imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from src.language.table import LANGUAGES


@dataclass  # not frozen, for Hydra composes into it
class MeasureSpec:
    """What measures compare with.

    `minimum_characters` of a completion that is `long_enough`, `minimum_trace` of a trace that is a `trace_long_enough`.
    Text of at most `short_text` letters, mathematics aside, needs no language (`both_parts`, `both_probable`).
    `least_probability`: both parts have at least it (`both_probable`). `line_length`, `line_times`, `phrase_times`: when a
    line or phrase `repeats`. `share_low` and `share_high` bound the share of the query's language (`mixture`), both
    included; `share_start` is the share that `share_curriculum` asks for at first, 1 being the last. `selectable` are the
    languages that may be `selected`. `cosine_low` and `cosine_high` are the cosines that earn 0 and 1 (`similarity`), in
    the languages of `calibration` its `low` and `high`: the level of a cosine is that of the language first
    (`python -m src calibrate`). `translation_low` and `translation_high` are the overlaps that earn 0 and 1 (`translation`).
    """

    minimum_characters: int = 1
    minimum_trace: int = 10
    short_text: int = 15
    least_probability: float = 0.99
    line_length: int = 20
    line_times: int = 6
    phrase_times: int = 6
    share_low: float = 0.05
    share_high: float = 0.2
    share_start: float = 0.5
    selectable: list[str] = field(default_factory=lambda: list(LANGUAGES))
    cosine_low: float = 0.0
    cosine_high: float = 1.0
    calibration: dict[str, dict[str, float]] = field(default_factory=dict)
    translation_low: float = 0.0
    translation_high: float = 1.0

    def cosines(self, code: str) -> tuple[float, float]:
        """The cosines that earn 0 and 1 in a language."""
        own = self.calibration.get(code, {})
        return own.get("low", self.cosine_low), own.get("high", self.cosine_high)

    def identity(self) -> dict[str, Any]:
        """What values depend on; settings that came later only where they are used."""
        later = {"calibration": {}, "translation_low": 0.0, "translation_high": 1.0}
        return {name: value for name, value in asdict(self).items() if name not in later or value != later[name]}

    def violations(self, where: str) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        rules = []
        for name in ("minimum_characters", "minimum_trace", "short_text"):
            if getattr(self, name) < 0:
                rules.append(f"{where}.{name} must be 0 or more characters; got {getattr(self, name)}")
        for name in ("line_length", "line_times", "phrase_times"):
            least = 1 if name == "line_length" else 2
            if getattr(self, name) < least:
                rules.append(f"{where}.{name} must be at least {least}; got {getattr(self, name)}")
        for name in ("least_probability", "share_low", "share_high", "share_start"):
            if not 0 <= getattr(self, name) <= 1:
                rules.append(f"{where}.{name} must be in [0, 1]; got {getattr(self, name)}")
        if self.share_low > self.share_high:
            rules.append(f"{where}.share_low must not be above share_high; got {self.share_low} and {self.share_high}")
        if not (self.cosine_low < self.cosine_high and math.isfinite(self.cosine_high - self.cosine_low)):
            rules.append(f"{where}.cosine_low must be below cosine_high; got {self.cosine_low} and {self.cosine_high}")
        for code, own in self.calibration.items():
            low, high = self.cosines(code)
            if code not in LANGUAGES or own.keys() - {"low", "high"} or not (low < high and math.isfinite(high - low)):
                rules.append(
                    f"{where}.calibration.{code} must be low and high cosines of a known language, low below high; got {own}"
                )
        if not self.translation_low < self.translation_high:
            rules.append(
                f"{where}.translation_low must be below translation_high; got {self.translation_low} and {self.translation_high}"
            )
        rules += [
            f"{where}.selectable must be among {', '.join(LANGUAGES)}; got {code!r}"
            for code in self.selectable
            if code not in LANGUAGES
        ]
        return rules

"""A trace in the pivot that quotes the question in its own language: Language-Mixed CoT (2510.04230)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from src.data.mixes.base import Material, WithPivot, either, thought_of
from src.data.mixes.sentences import letters
from src.data.records import Example
from src.language.table import language

UNSPACED = ("thai", "japanese", "han")  # written without blanks between words


@dataclass(frozen=True)
class LanguageMixed(WithPivot):
    """The trace is the `pivot`'s, after a quotation from the question in its own language: of its beginning as many words (signs, where
    words are not set apart) as keep the quoted share of the letters within [`low`, `high`]. Question and answer are in that
    language. A trace that the band leaves no room for gives no example; rows in the pivot stay as they are."""

    low: float = 0.05
    high: float = 0.2

    def __call__(self, material: Material, seed: int) -> list[Example]:
        made = [self._of(row, other) for row, other in self.pairs(material)]
        return [row for row in made if row is not None]

    def _of(self, row: Example, other: Example) -> Example | None:
        if row.language == self.pivot:
            return row
        trace = thought_of(other.completion)[0]
        quoted = self._quoted(row, letters(trace))
        if not quoted:
            return None
        completion = f"“{quoted}”\n{trace}{thought_of(row.completion)[1]}"
        return replace(row, completion=completion, trace_language=either(self.pivot, row.language))

    def _quoted(self, row: Example, scaffold: int) -> str:
        """The longest beginning of the question that the band allows beside so many letters; empty where there is none."""
        spaced = language(row.language).script not in UNSPACED
        units = row.question.split() if spaced else list(row.question)
        for count in range(len(units), 0, -1):
            text = (" " if spaced else "").join(units[:count])
            share = letters(text) / max(1, letters(text) + scaffold)
            if share <= self.high:
                return text if share >= self.low else ""
        return ""

    def violations(self) -> list[str]:
        band = 0 <= self.low <= self.high < 1
        wrong = (
            []
            if band
            else [f"mix.low and mix.high must be shares with low <= high < 1; got {self.low} and {self.high}"]
        )
        return wrong + super().violations()

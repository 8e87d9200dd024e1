"""The model names the language that it thinks in before it thinks: ExpLang's tag (2602.21887)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from src.common.seeds import derive_seed
from src.data.mixes.base import Material, WithPivot, thought_of, unknown
from src.data.records import Example

TAG = "<lang_select>\n{code}\n</lang_select>\n"


@dataclass(frozen=True)
class LangSelect(WithPivot):
    """Each question once, in its own language, with the tag and the completion of a translation of its problem; the seed draws
    which of the `selectable` languages that it is in. The tag stands where the model begins to write: before `<think>` where it writes that
    itself, else at the beginning of the trace."""

    selectable: list[str] = field(default_factory=list)

    def __call__(self, material: Material, seed: int) -> list[Example]:
        made = []
        for row in material.within(self.languages):
            codes = [code for code in material.languages(row) if not self.selectable or code in self.selectable]
            if codes:
                code = codes[derive_seed("selected", seed, row.language, row.problem) % len(codes)]
                other = material.translation(row, code)
                assert other is not None
                text = TAG.format(code=code) + "".join(thought_of(other.completion))
                made.append(replace(row, completion=text, gold=other.gold, trace_language=code))
        return made

    def violations(self) -> list[str]:
        return super().violations() + unknown(("selectable", code) for code in self.selectable)

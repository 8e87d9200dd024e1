"""What a mix is: a pure function from worked examples, their translations and a seed to the examples that SFT learns from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Protocol

from src.data.readers import BadData
from src.data.records import Example
from src.language.table import UnknownLanguage, language
from src.language.trace import closing_tag, without_opening


@dataclass(frozen=True)
class Material:
    """What a mix is made of. `rows` are the examples that SFT would learn from without it, `others` further translations of
    their problems, `samples` right answers of the model itself."""

    rows: Sequence[Example]
    others: Sequence[Example] = ()
    samples: Sequence[Example] = ()

    @cached_property
    def _by_language(self) -> dict[str, dict[str, Example]]:
        known: dict[str, dict[str, Example]] = {}
        for row in (*self.rows, *self.others):
            known.setdefault(row.problem, {}).setdefault(row.language, row)
        return known

    def translation(self, row: Example, code: str) -> Example | None:
        """The same problem in another language: of several examples the first; None where there is none."""
        return self._by_language[row.problem].get(code)

    def languages(self, row: Example) -> list[str]:
        """The languages that the problem is in, sorted."""
        return sorted(self._by_language[row.problem])

    def within(self, languages: Sequence[str]) -> list[Example]:
        """The rows in these languages; none given: all."""
        return [row for row in self.rows if not languages or row.language in languages]


class Mix(Protocol):
    """Makes the examples. A row for which a translation is missing gives none. An example whose trace is in another language
    than its question says so (`Example.trace_language`), and is judged by that.

    `parallel`: the world gives the same problems in every language, those of `pivots` among them. `samples`: it takes
    answers of the model (`data.samples`).
    """

    @property
    def parallel(self) -> bool: ...

    @property
    def pivots(self) -> Sequence[str]: ...

    @property
    def samples(self) -> bool: ...

    def __call__(self, material: Material, seed: int) -> list[Example]: ...


@dataclass(frozen=True)
class WithPivot:
    """What mixes share that set the rows in `languages` (none given: all) beside their translations into the `pivot`."""

    pivot: str = "en"
    languages: list[str] = field(default_factory=list)

    parallel: ClassVar[bool] = True
    samples: ClassVar[bool] = False

    @property
    def pivots(self) -> tuple[str, ...]:
        return (self.pivot,)

    def pairs(self, material: Material) -> list[tuple[Example, Example]]:
        """The rows that have one, each with its translation."""
        pairs = [(row, material.translation(row, self.pivot)) for row in material.within(self.languages)]
        return [(row, other) for row, other in pairs if other is not None]

    def violations(self) -> list[str]:
        """Every broken rule as one sentence; empty when all hold."""
        return unknown([("pivot", self.pivot), *(("languages", code) for code in self.languages)])


def mixed(mix: Mix, material: Material, seed: int) -> list[Example]:
    """The examples of a mix; of no rows none.

    Raises:
        BadData: no example comes of the rows.
    """
    made = mix(material, seed)
    if material.rows and not made:
        codes = sorted({row.language for row in material.rows})
        raise BadData(
            f"mix: {type(mix).__name__} makes no example of {len(material.rows)} worked examples in {', '.join(codes)}. It needs "
            f"the same `problem` in several languages{', ' + ' and '.join(mix.pivots) + ' among them' if mix.pivots else ''}: "
            "give data.sft with translations, or other mix.* settings"
        )
    return made


def thought_of(completion: str) -> tuple[str, str]:
    """(the trace, what follows it with the tag that closes it) of a completion; without such a tag all is trace."""
    closing = closing_tag(completion)
    if closing is None:
        return without_opening(completion).lstrip("\n"), ""
    opened = without_opening(completion[: closing.start()]).lstrip("\n")
    trace = opened.rstrip("\n")
    return trace, opened[len(trace) :] + completion[closing.start() :]


def either(*codes: str) -> str:
    """Languages of a trace as `Example.trace_language` has them, each once."""
    return "+".join(dict.fromkeys(codes))


def unknown(names: Iterable[tuple[str, str]]) -> list[str]:
    """A sentence for each (setting, code) that is no language."""
    violations = []
    for name, code in names:
        try:
            language(code)
        except UnknownLanguage as error:
            violations.append(f"mix.{name}: {error}")
    return violations

"""When a text is identified, and among which languages; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

from src.language.table import CORE


@dataclass(frozen=True)
class DetectorSpec:
    """`languages` are those it distinguishes. A text needs `minimum_letters` letters (`minimum_dense` in scripts of
    syllables or words) to be identified at all, and a sentence `minimum_line` (`minimum_dense_line`). Among languages
    of one script the words of a sentence must speak for one of them by `minimum_margin` nats more than for any other,
    each word by at most `maximum_word`; else it stays unknown. A language outside of `languages` is `other`. `docs/language-detection.md` measures these."""

    languages: list[str] = field(default_factory=lambda: list(CORE))
    minimum_letters: int = 20
    minimum_dense: int = 8
    minimum_line: int = 8
    minimum_dense_line: int = 3
    minimum_margin: float = 8.0
    maximum_word: float = 20.0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if not self.languages:
            violations.append("detector.languages must name at least one language; got an empty list")
        for name in ("minimum_letters", "minimum_dense", "minimum_line", "minimum_dense_line"):
            if getattr(self, name) < 1:
                violations.append(f"detector.{name} must be at least 1; got {getattr(self, name)}")
        for name, least in (("minimum_margin", 0.0), ("maximum_word", 1.0)):
            if getattr(self, name) < least:
                violations.append(f"detector.{name} must be at least {least:g} nats; got {getattr(self, name)}")
        return violations

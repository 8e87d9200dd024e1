"""Sizes of the embedded world (`conf/world/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class WorldSpec:
    """What problems the world holds, how its base model is built, and what each split shows.

    Numbers are drawn uniformly: the start from `start`, gains and losses from `operand`, factors from `factor`;
    a problem whose running result leaves 1..`maximum_result` is drawn again. `operation_weights` is
    gain : lose : times. `items` counts the nouns in use (of `grammar.ITEMS`).
    """

    name: str = "small"
    languages: list[str] = field(
        default_factory=lambda: ["fr", "ja", "ko", "th", "pt", "bn", "en", "es", "ru", "sw", "te", "zh", "de"]
    )
    trained_languages: list[str] = field(default_factory=lambda: ["fr", "ja", "ko", "pt", "th"])
    evaluated_languages: list[str] = field(
        default_factory=lambda: ["fr", "ja", "ko", "th", "bn", "en", "es", "ru", "sw", "te", "zh", "de"]
    )
    steps: list[int] = field(default_factory=lambda: [1, 2])
    start: list[int] = field(default_factory=lambda: [2, 20])
    operand: list[int] = field(default_factory=lambda: [2, 9])
    factor: list[int] = field(default_factory=lambda: [2, 3])
    maximum_result: int = 60
    operation_weights: list[float] = field(default_factory=lambda: [4.0, 4.0, 1.0])
    items: int = 6

    # The language of reasoning in the base model's pre-training: this is where language collapse comes from.
    pivot_language: str = "en"
    pretrain_documents: int = 48_000
    chat_share: float = 0.85  # the rest is raw monolingual text without chat tokens
    in_language_share: float = 0.08  # of chat documents, those that reason in the language of the query

    vocabulary: int = 2_000
    hidden_size: int = 96
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    head_size: int = 24
    intermediate_size: int = 256

    sft_examples_per_language: int = 60
    validation_examples_per_language: int = 10

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        for name in ("start", "operand", "factor"):
            low_high = getattr(self, name)
            if len(low_high) != 2 or not 1 <= low_high[0] <= low_high[1]:
                violations.append(f"world.{name} must be [lowest, highest] with 1 <= lowest <= highest; got {low_high}")
        if not self.steps or min(self.steps) < 1:
            violations.append(f"world.steps must list numbers of operations >= 1; got {list(self.steps)}")
        for name in ("chat_share", "in_language_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                violations.append(f"world.{name} is a share in [0, 1]; got {getattr(self, name)}")
        if not 1 <= self.items <= 12:
            violations.append(f"world.items must be 1..12, the nouns every language names; got {self.items}")
        if self.heads % self.key_value_heads:
            violations.append(
                f"world.heads must be a multiple of world.key_value_heads; got {self.heads} and {self.key_value_heads}"
            )
        return violations

    def training_violations(self) -> list[str]:
        """The broken rules for what the world is learned from."""
        violations = []
        if self.pivot_language not in self.languages:
            violations.append(f"world.pivot_language must be one of world.languages; got {self.pivot_language!r}")
        for code in self.trained_languages:
            if code not in self.languages:
                violations.append(f"world.trained_languages must be among world.languages; got {code!r}")
        return violations

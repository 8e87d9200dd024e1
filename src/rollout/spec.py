"""How completions are sampled (`conf/rollout/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RolloutSpec:
    """`engine` is `native` (our decoder; Qwen2 and Qwen3) or `hf` (transformers' generate; any model)."""

    engine: str = "native"
    temperature: float = 1.0
    top_p: float = 1.0
    maximum_new_tokens: int = 96
    rows_at_once: int = 256

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        found = []
        if self.engine not in ("native", "hf"):
            found.append(f"rollout.engine must be native or hf; got {self.engine!r}")
        if self.temperature <= 0:
            found.append(f"rollout.temperature must be above 0 (sampling is what explores); got {self.temperature}")
        if not 0 < self.top_p <= 1:
            found.append(f"rollout.top_p must be in (0, 1]; got {self.top_p}")
        if self.maximum_new_tokens < 1 or self.rows_at_once < 1:
            found.append("rollout.maximum_new_tokens and rollout.rows_at_once must be at least 1")
        return found

"""Settings of advantages and losses (`conf/objective/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

NORMALISERS = ("std", "mean")
AGGREGATIONS = ("token_mean", "sequence_mean", "sequence_sum")
ESTIMATORS = ("k1", "abs", "k2", "k3")


@dataclass(frozen=True)
class AdvantageSpec:
    """How the rewards of a group become advantages.

    `normaliser`: `std` is (s - mean) / (std + 1e-6), as GRPO; `mean` is s - mean, as Dr. GRPO. `alignment` weights
    the reward by 1 + B g(t) m, `diversity` by 1 + (n / n_lang - 1) d(t) (AdaMame, section 3).
    """

    normaliser: str = "std"
    diversity: bool = False
    alignment: bool = True

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        if self.normaliser not in NORMALISERS:
            return [f"objective.advantage.normaliser must be one of {', '.join(NORMALISERS)}; got {self.normaliser!r}"]
        return []


@dataclass(frozen=True)
class LossSpec:
    """The clipped surrogate, how tokens are averaged, and the penalty towards the reference policy.

    `aggregation`: `token_mean` over all completion tokens of the mini-batch; `sequence_mean` the mean over
    sequences of their token means; `sequence_sum` the mean over sequences of token sum / `maximum_tokens`.
    """

    clip_low: float = 0.2
    clip_high: float = 0.2
    aggregation: str = "token_mean"
    maximum_tokens: int = 4096
    kl_estimator: str = "k3"
    kl_coefficient: float = 0.001
    kl_clamp: float = 10.0
    entropy_coefficient: float = 0.0

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        found = []
        if self.aggregation not in AGGREGATIONS:
            found.append(
                f"objective.loss.aggregation must be one of {', '.join(AGGREGATIONS)}; got {self.aggregation!r}"
            )
        if self.kl_estimator not in ESTIMATORS:
            found.append(
                f"objective.loss.kl_estimator must be one of {', '.join(ESTIMATORS)}; got {self.kl_estimator!r}"
            )
        if not 0 < self.clip_low <= 1 or self.clip_high <= 0:
            found.append(
                f"objective.loss.clip_low must be in (0, 1] and clip_high above 0; got {self.clip_low} and {self.clip_high}"
            )
        if self.maximum_tokens < 1:
            found.append(f"objective.loss.maximum_tokens must be at least 1; got {self.maximum_tokens}")
        if self.kl_coefficient < 0 or self.kl_clamp <= 0:
            found.append(
                f"objective.loss.kl_coefficient must be 0 or more and kl_clamp above 0; got {self.kl_coefficient} and {self.kl_clamp}"
            )
        return found

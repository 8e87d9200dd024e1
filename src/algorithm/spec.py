"""Settings of advantages and losses (`conf/objective/*.yaml`); imports nothing heavy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

NORMALISERS = ("std", "mean", "leave_one_out", "batch_std", "length_mean", "none", "gdpo", "greedy")
STRATA = ("prompt", "language")
FORMS = ("none", "multiply", "add", "replace")
PLACES = ("reward", "advantage")
ROLLOUTS = ("all", "right", "all_right_groups")
DRIVERS = ("schedule", "entropy")
AGGREGATIONS = ("token_mean", "sequence_mean", "sequence_sum")
ESTIMATORS = ("k1", "abs", "k2", "k3")
RATIOS = ("token", "sequence")
SURROGATES = ("clipped", "cispo", "sapo")

# Settings whose defaults change nothing, and so do not count in what a policy depends on.
LATER = {
    "advantage": ("whiten", "epsilon"),
    "loss": (
        *("ratio_cap", "temperature_positive", "temperature_negative"),
        *("top_entropy", "off_policy_threshold"),
    ),
}


@dataclass(frozen=True)
class TermSpec:
    """Where a language term x of weight w acts: w x is factor x match (B g m) for alignment, decay x rarity
    (d (n / n_lang - 1)) for diversity.

    `form`: `multiply` by 1 + w x, `add` w x, `replace` by w x, or `none`. `at`: the `reward`, before normalisation, or
    the `advantage`, after it. `rollouts`: `all`, the `right` ones (by the grader), or those of `all_right_groups`.
    `normalise`: x is normalised within its group first, as a reward of its own (GDPO). `coefficient` scales w x.
    """

    form: str = "none"
    at: str = "reward"
    rollouts: str = "all"
    normalise: bool = False
    coefficient: float = 1.0

    def violations(self, name: str) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = [
            f"{name}.{field} must be one of {', '.join(allowed)}; got {getattr(self, field)!r}"
            for field, allowed in (("form", FORMS), ("at", PLACES), ("rollouts", ROLLOUTS))
            if getattr(self, field) not in allowed
        ]
        if self.form == "replace" and self.at != "advantage":
            violations.append(f"{name}.at must be advantage where form is replace; got {self.at!r}")
        return violations


@dataclass(frozen=True)
class DiversitySpec(TermSpec):
    """The term for rare languages. `by`: d is the schedule's exploration, or max(0, 1 - H / ln n) from the entropy H
    of the group's languages. `relative` divides n / n_lang - 1 by n - 1, so that it lies in [0, 1]."""

    by: str = "schedule"
    relative: bool = False

    def violations(self, name: str) -> list[str]:
        violations = super().violations(name)
        if self.by not in DRIVERS:
            violations.append(f"{name}.by must be one of {', '.join(DRIVERS)}; got {self.by!r}")
        return violations


@dataclass(frozen=True)
class AdvantageSpec:
    """How the rewards of a group become advantages: every variant is a point of this space.

    `normaliser`: `std` is (s - mean) / (std + 1e-6), as GRPO; `mean` is s - mean, as Dr. GRPO; `leave_one_out` is
    s - mean of the others, as RLOO; `batch_std` is s - mean over the standard deviation of all rollouts of the step;
    `length_mean` is s - the mean weighted by tokens, as OPO; `none` is s. `within`: all rollouts of the `prompt`, or those
    of one `language` among them (one alone is compared with the prompt's). `whiten`: what comes of it then has mean 0 and
    deviation 1 over all tokens of the step, as REINFORCE++.

    `gdpo`: the parts of the reward are kept apart (`src.algorithm.gdpo`); `epsilon` is added to its deviations. `greedy`:
    the reward less that of a greedy completion of the prompt, sampled beside the others, as ReMax.
    """

    normaliser: str = "std"
    within: str = "prompt"
    whiten: bool = False
    diversity: DiversitySpec = field(default_factory=DiversitySpec)
    alignment: TermSpec = field(default_factory=TermSpec)
    epsilon: float = 1e-4

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = [
            f"objective.advantage.{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}"
            for name, allowed in (("normaliser", NORMALISERS), ("within", STRATA))
            if getattr(self, name) not in allowed
        ]
        if self.normaliser == "none" and self.within != "prompt":
            violations.append(
                f"objective.advantage.within must be prompt where normaliser is none, which compares nothing; got {self.within!r}"
            )
        if not 0 < self.epsilon < float("inf"):
            violations.append(f"objective.advantage.epsilon must be above 0, and finite; got {self.epsilon}")
        if self.normaliser in ("gdpo", "greedy"):
            violations += self._apart()
        violations += self.diversity.violations("objective.advantage.diversity")
        violations += self.alignment.violations("objective.advantage.alignment")
        return violations

    def _apart(self) -> list[str]:
        """The rules of normalisers that take the rewards as they are paid, before a term could act on them."""
        violations = [
            f"objective.advantage.{name}.at must be advantage where the normaliser is {self.normaliser}, which takes "
            f"rewards as they are; got "
            f"{term.at!r}"
            for name, term in (("diversity", self.diversity), ("alignment", self.alignment))
            if term.form != "none" and term.at == "reward"
        ]
        if self.whiten:
            own = ", which whitens itself" if self.normaliser == "gdpo" else ""
            violations.append(
                f"objective.advantage.whiten must be false where the normaliser is {self.normaliser}{own}; got true"
            )
        if self.within != "prompt":
            violations.append(
                f"objective.advantage.within must be prompt where the normaliser is {self.normaliser}; got {self.within!r}"
            )
        return violations


@dataclass(frozen=True)
class LossSpec:
    """The surrogate, how tokens are averaged, and the penalty towards the reference policy.

    `ratio` new / old: of each `token`, or of the whole `sequence` (its geometric mean a token, as GSPO). `surrogate`:
    `clipped` as PPO; `cispo`, which bounds the weight of a token and never drops its gradient; or `sapo`, whose gate closes
    smoothly with `temperature_positive` and `temperature_negative`, by the sign of the advantage, and has no clipping. A
    `clip_low` of 1 is no lower bound. `ratio_cap`: above 0, the largest ratio of what has a negative advantage (dual clip).
    `importance_cap`: above 0, each token is weighted by min(trainer / sampler probability, cap), and
    old is the trainer's own probability before the step's first update (truncated importance sampling).

    `top_entropy`: below 1, only that share of the mini-batch's tokens counts, those at which the policy is least sure.
    `off_policy_threshold`: above 0, a sequence with a negative advantage does not count whose mean log sampler / new
    probability a token is above it. Both leave the KL penalty and the divisors of the means as they are.

    `aggregation`: `token_mean` over all completion tokens of the mini-batch; `sequence_mean` the mean over
    sequences of their token means; `sequence_sum` the mean over sequences of token sum / `maximum_tokens`.
    """

    ratio: str = "token"
    surrogate: str = "clipped"
    clip_low: float = 0.2
    clip_high: float = 0.2
    ratio_cap: float = 0.0
    temperature_positive: float = 1.0
    temperature_negative: float = 1.05
    importance_cap: float = 0.0
    top_entropy: float = 1.0
    off_policy_threshold: float = 0.0
    aggregation: str = "token_mean"
    maximum_tokens: int = 4096
    kl_estimator: str = "k3"
    kl_coefficient: float = 0.001
    kl_clamp: float = 10.0
    entropy_coefficient: float = 0.0

    @property
    def by_token(self) -> bool:
        """Whether what a token adds to the loss depends on that token alone."""
        return self.ratio == "token" and not self.off_policy_threshold

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = [
            f"objective.loss.{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}"
            for name, allowed in (
                ("ratio", RATIOS),
                ("surrogate", SURROGATES),
                ("aggregation", AGGREGATIONS),
                ("kl_estimator", ESTIMATORS),
            )
            if getattr(self, name) not in allowed
        ]
        if not 0 < self.clip_low <= 1 or self.clip_high <= 0:
            violations.append(
                f"objective.loss.clip_low must be in (0, 1] and clip_high above 0; got {self.clip_low} and {self.clip_high}"
            )
        if self.ratio_cap and self.ratio_cap < 1.0 + self.clip_high:
            violations.append(
                f"objective.loss.ratio_cap must be at least 1 + clip_high, {1.0 + self.clip_high:g}, or 0 for off; got "
                f"{self.ratio_cap}"
            )
        if self.ratio_cap and self.surrogate != "clipped":
            violations.append(
                f"objective.loss.ratio_cap is for surrogate=clipped; got {self.ratio_cap} with {self.surrogate!r}, which bounds "
                "the ratio itself: leave it 0"
            )
        if min(self.temperature_positive, self.temperature_negative) <= 0:
            violations.append(
                f"objective.loss.temperature_positive and temperature_negative must be above 0; got "
                f"{self.temperature_positive} and {self.temperature_negative}"
            )
        if not 0 < self.top_entropy <= 1:
            violations.append(
                f"objective.loss.top_entropy must be in (0, 1], 1 being all tokens; got {self.top_entropy}"
            )
        if self.off_policy_threshold < 0:
            violations.append(
                f"objective.loss.off_policy_threshold must be above 0, or 0 for off; got {self.off_policy_threshold}"
            )
        if self.importance_cap < 0:
            violations.append(f"objective.loss.importance_cap must be above 0, or 0 for off; got {self.importance_cap}")
        if self.maximum_tokens < 1:
            violations.append(f"objective.loss.maximum_tokens must be at least 1; got {self.maximum_tokens}")
        if self.kl_coefficient < 0 or self.kl_clamp <= 0:
            violations.append(
                f"objective.loss.kl_coefficient must be 0 or more and kl_clamp above 0; got {self.kl_coefficient} and {self.kl_clamp}"
            )
        return violations


@dataclass(frozen=True)
class ObjectiveSpec:
    """How rewards become a loss (`conf/objective/*.yaml`).

    `sampling_rounds`: 1 trains on the prompts a step draws. More is DAPO's dynamic sampling: while too few groups have
    a contrast, another round of prompts is drawn, up to so many, and groups without one are left out.
    """

    advantage: AdvantageSpec = field(default_factory=AdvantageSpec)
    loss: LossSpec = field(default_factory=LossSpec)
    sampling_rounds: int = 1

    def identity(self) -> dict[str, Any]:
        """What a policy depends on. Overlong punishment, which is a reward now, once was a setting here: with it off, as it
        was by default, what was trained before is still known. So it is with settings that came later (`LATER`) and have
        their default."""
        settings = asdict(self)
        for part, fields in LATER.items():
            for name in fields:
                if settings[part][name] == getattr(type(getattr(self, part)), name):
                    del settings[part][name]
        return {"is": type(self).__name__, "overlong": {"buffer": 0, "penalty": 1.0}} | settings

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = self.advantage.violations() + self.loss.violations()
        if self.sampling_rounds < 1:
            violations.append(f"objective.sampling_rounds must be at least 1; got {self.sampling_rounds}")
        return violations

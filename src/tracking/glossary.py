"""Every metric the project logs: unit and meaning. `page` is the documentation."""

from __future__ import annotations

from dataclasses import dataclass

from src.common.errors import did_you_mean
from src.common.tables import Table

GRPO = "grpo"
SUPERVISED = "pretrain, sft"


@dataclass(frozen=True)
class Metric:
    """`per_language` metrics are also logged as `name/<code>`, over the rollouts of queries in that language."""

    name: str
    unit: str
    meaning: str
    stages: str = GRPO
    per_language: bool = False


_ROWS = (
    Metric(
        "reward",
        "reward",
        "Mean reward of the rollouts to which it applies, before any language weight.",
        per_language=True,
    ),
    Metric("accuracy", "share", "Rollouts whose boxed answer is right.", per_language=True),
    Metric(
        "fidelity",
        "share",
        "Rollouts that close their trace and reason in the language of the query.",
        per_language=True,
    ),
    Metric(
        "following",
        "share",
        "Rollouts whose trace and answer are both in the language of the query, of those that have both; an answer without a language, such as a boxed number, leaves it to the trace. Missing where none has both.",
        per_language=True,
    ),
    Metric("right_and_in_language", "share", "Rollouts that are right and in the language of the query."),
    Metric("code_switched", "share", "Rollouts whose lines are in two or more languages.", per_language=True),
    Metric("unknown_language", "share", "Rollouts whose language could not be told (too short, or mixed)."),
    Metric("tokens", "tokens", "Mean length of a completion, end token included.", per_language=True),
    Metric("truncated", "share", "Rollouts cut off by the token budget.", per_language=True),
    Metric("status_right", "share", "Rollouts graded right."),
    Metric("status_wrong", "share", "Rollouts graded wrong."),
    Metric("status_unparsed", "share", "Rollouts without a readable boxed answer."),
    Metric("status_timeout", "share", "Rollouts whose grading ran out of time."),
    Metric("status_error", "share", "Rollouts whose grading failed."),
    Metric(
        "entropy", "nats / token", "Entropy of the policy, mean over rollouts of their token means.", per_language=True
    ),
    Metric(
        "kl",
        "nats / token",
        "Divergence from the reference policy by the objective's estimator, mean over rollouts; missing without one (kl_coefficient 0).",
        per_language=True,
    ),
    Metric(
        "approximate_kl", "nats / token", "Mean log pi_old - log pi_new: how far the update went.", per_language=True
    ),
    Metric(
        "clip_fraction", "share", "Tokens whose ratio is clipped in the direction of the advantage.", per_language=True
    ),
    Metric("ratio_max", "ratio", "Largest new / old token probability, before clipping.", per_language=True),
    Metric("ratio_min", "ratio", "Smallest new / old token probability, before clipping."),
    Metric(
        "sampler_kl",
        "nats / token",
        "Mean log sampler - log trainer probability of sampled tokens, before the step's first update (with importance_cap).",
        per_language=True,
    ),
    Metric(
        "importance_capped",
        "share",
        "Tokens whose trainer / sampler probability is at importance_cap or above.",
        per_language=True,
    ),
    Metric(
        "counted",
        "share",
        "Tokens that count in the loss, mean over rollouts (with top_entropy below 1 or an off_policy_threshold).",
        per_language=True,
    ),
    Metric(
        "sampler_gap",
        "nats / token",
        "Mean absolute difference of the log-probabilities of sampler and trainer over the tokens of the probed rollouts (rollout.probe_rows); the run stops where rounding does not explain it (rollout.mismatch_limit). With truncated sampling both are those of what is left.",
    ),
    Metric("sampler_gap_max", "nats", "The largest of these differences."),
    Metric(
        "reward/<part>",
        "reward",
        "Mean of what a part of a composed reward adds, weight included, over the rollouts to which it applies.",
    ),
    Metric(
        "evidence_asked",
        "count",
        "Completions, or questions, about which services were asked for evidence of the reward.",
    ),
    Metric(
        "evidence_cached", "share", "Of these: answered from what an earlier step was told, so that nobody was asked."
    ),
    Metric("evidence_missing", "share", "Of these: nobody could tell, so that the part of the reward does not apply."),
    Metric(
        "answer_entropy",
        "share",
        "Rewards by the model's own answers: entropy of the step's answers over ln of their number. Near 0 it gives the same answer to everything, which such a reward pays for.",
    ),
    Metric("sampled_groups", "groups", "Prompts rolled out in the step, over all its sampling rounds."),
    Metric("trained_groups", "groups", "Prompts whose rollouts were trained on."),
    Metric(
        "zero_variance_groups", "share", "Groups whose advantages are all equal: they teach nothing.", per_language=True
    ),
    Metric(
        "alignment_factor",
        "factor",
        "B g: what a matching rollout is offered; 0 when the objective has no alignment term.",
        per_language=True,
    ),
    Metric(
        "language_term_groups", "share", "Groups in which the alignment term changed any advantage.", per_language=True
    ),
    Metric(
        "language_term_change",
        "advantage",
        "Mean absolute change of the advantage by the alignment term.",
        per_language=True,
    ),
    Metric(
        "language_entropy",
        "share",
        "schedule=feedback: running mean over groups of the entropy of their languages / ln n.",
    ),
    Metric(
        "matched",
        "share",
        "schedule=lagrangian: running share of rollouts in the language of the query.",
        per_language=True,
    ),
    Metric(
        "accuracy_in",
        "share",
        "schedule=critical: accuracy in the language of the query, on prompts answered in several; drawn to the mean over languages.",
        per_language=True,
    ),
    Metric(
        "accuracy_out",
        "share",
        "schedule=critical: accuracy in other languages, on the same prompts.",
        per_language=True,
    ),
    Metric(
        "critical_bonus",
        "factor",
        "schedule=critical: B* = accuracy_out / accuracy_in - 1, above which the language of the query pays.",
        per_language=True,
    ),
    Metric(
        "critical_bonus_error",
        "factor",
        "schedule=critical: standard error of B* from the data alone; missing while nothing bears on it.",
        per_language=True,
    ),
    Metric(
        "<split>/accuracy",
        "share",
        "Every evaluation.every steps, on the first questions of a split that is not trained on: answers that are right; languages weigh the same, here and below.",
    ),
    Metric("<split>/fidelity", "share", "The same answers: in the language of the query."),
    Metric("<split>/right_and_in_language", "share", "The same answers: right and in the language of the query."),
    Metric("<split>/tokens", "tokens", "The same answers: mean length."),
    Metric(
        "<split>/hypervolume",
        "share",
        "The same answers: accuracy x fidelity x (1 - tokens / rollout.maximum_new_tokens).",
    ),
    Metric(
        "loss",
        "loss",
        "The objective that is minimised; for pretrain and sft, nats per target token.",
        f"{SUPERVISED}, {GRPO}",
    ),
    Metric("validation_loss", "nats / token", "Negative log-likelihood on examples that are not trained on.", "sft"),
    Metric(
        "grad_norm", "norm", "Gradient norm before clipping (of several updates, the largest).", f"{SUPERVISED}, {GRPO}"
    ),
    Metric("learning_rate", "rate", "Learning rate of the step.", f"{SUPERVISED}, {GRPO}"),
    Metric(
        "progress",
        "share",
        "Share of training: done after the step (pretrain, sft), t / T at its start (grpo).",
        f"{SUPERVISED}, {GRPO}",
    ),
    Metric(
        "tokens_per_second",
        "tokens / s",
        "Trained tokens (pretrain, sft) or completion tokens over the whole step (grpo).",
        f"{SUPERVISED}, {GRPO}",
    ),
    Metric("seconds_rollout", "s", "Time to sample the step's completions."),
    Metric("seconds_judge", "s", "Time to grade, identify languages and compute advantages."),
    Metric("seconds_update", "s", "Time of the optimiser updates."),
)
GLOSSARY = {metric.name: metric for metric in _ROWS}


class UnknownMetric(ValueError):
    """A metric without a glossary entry."""


def require(name: str) -> None:
    """Raise `UnknownMetric` unless `name`, the part before `/<language>`, or that after `<split>/` has an entry that
    allows it."""
    head, _, language = name.partition("/")
    if f"<split>/{language}" in GLOSSARY:
        return
    if head not in GLOSSARY or (language and not GLOSSARY[head].per_language):
        hint = did_you_mean(head, GLOSSARY)
        raise UnknownMetric(f"metric {name!r} has no entry in src/tracking/glossary.py; add one.{hint}")


def page() -> str:
    """The documentation of all metrics, as markdown."""
    lines = [
        "# Metrics",
        "",
        "Made from `src/tracking/glossary.py` by `make metrics-doc`. Metrics marked * are also logged by language of",
        "the query, as `name/<code>`.",
        "",
    ]
    rows = [(f"`{m.name}`{'*' * m.per_language}", m.unit, m.stages, m.meaning) for m in _ROWS]
    lines.append(Table(("metric", "unit", "stages", "meaning"), rows).markdown())
    return "\n".join(lines) + "\n"

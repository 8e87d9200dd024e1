"""What a GRPO step is measured by: one row for each rollout, and the step's metrics, overall and by language."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

import torch
from torch import Tensor

from src.algorithm.diagnostics import clipped_tokens
from src.algorithm.filters import NOTICEABLE
from src.algorithm.spec import LossSpec
from src.distributed.ranks import Ranks
from src.rollout.evidence import ASKED, CACHED, MISSING, Evidence
from src.rollout.generate import Trajectory
from src.store.records import Row, of_sample, reward_part
from src.training.credit import Credit

STATUSES = ("right", "wrong", "unparsed", "timeout", "error")
# Metric -> column of the rollout rows it is the mean of.
MEANS = {
    "reward": "reward",
    "accuracy": "correct",
    "fidelity": "in_language",
    "right_and_in_language": "right_and_in_language",
    "code_switched": "code_switched",
    "unknown_language": "unknown",
    "tokens": "tokens",
    "truncated": "truncated",
    "alignment_factor": "alignment_factor",
    "language_term_change": "language_term_change",
}
PER_LANGUAGE = (
    "reward",
    "accuracy",
    "fidelity",
    "code_switched",
    "tokens",
    "truncated",
    "alignment_factor",
    "language_term_change",
)


@dataclass(frozen=True)
class RowUpdate:
    """What the update did to one rollout. Token means but for the extremes; the ratio is before clipping.

    `kl` is None without a reference policy; `sampler_kl` and `importance_capped` are where the trainer's own
    log-probabilities were not computed, `counted` where every token counts.
    """

    entropy: float
    kl: float | None
    approximate_kl: float
    clip_fraction: float
    ratio_max: float
    ratio_min: float
    sampler_kl: float | None = None
    importance_capped: float | None = None
    counted: float | None = None

    @staticmethod
    def of(
        ratio: Tensor,
        penalty: Tensor | None,
        entropy: Tensor,
        advantage: float,
        spec: LossSpec,
        mismatch: Tensor,
        counted: Tensor | None = None,
    ) -> RowUpdate:
        """From the values [tokens] of one rollout; an empty rollout has ratio 1 and nothing else. `mismatch` is
        log old - log sampler, `counted` 1 on the tokens whose surrogate counts (None: all)."""
        if ratio.numel() == 0:
            return RowUpdate(0.0, None if penalty is None else 0.0, 0.0, 0.0, 1.0, 1.0)
        ratio = ratio.detach()
        entropy = entropy.detach()
        cap = spec.importance_cap
        sign = torch.tensor([advantage], device=ratio.device)
        share = clipped_tokens(ratio[None], sign, spec.clip_low, spec.clip_high, spec.ratio_cap).mean()
        if spec.surrogate == "sapo":
            share = torch.zeros_like(share)  # its gate never takes a gradient away
        moved = -ratio.log().mean()
        kl = None if penalty is None else float(penalty.detach().mean())
        values = [moved, share, ratio.max(), ratio.min()]
        if cap:
            values += [-mismatch.mean(), (mismatch.exp() >= cap).float().mean()]
        measured = RowUpdate(float(entropy.mean()), kl, *(float(value) for value in values))
        return measured if counted is None else replace(measured, counted=float(counted.mean()))


def rollout_rows(
    step: int, trajectories: Sequence[Trajectory], credit: Credit, changes: Mapping[int, RowUpdate]
) -> list[Row]:
    """One row for each trajectory: what was asked, answered, judged, and what it counted for (`src.store.records`).

    `trained` are those that `changes` knows; the others have no value in its columns.
    """
    result = credit.result
    scores = credit.scores
    untrained: Row = dict.fromkeys(field.name for field in fields(RowUpdate))
    columns = {
        name: getattr(result, name).tolist()
        for name in ("advantage", "base_advantage", "alignment_term", "diversity_term", "score")
    }
    rows = []
    for index, trajectory in enumerate(trajectories):
        sample = trajectory.sample
        mismatch = trajectory.mismatch
        logprobs = trajectory.rollout.logprobs
        values = {name: column[index] for name, column in columns.items()}
        rows.append(
            {
                "step": step,
                "group": sample.group,
                "problem": sample.problem,
                "language": sample.query_language,
                "question": sample.question,
                **of_sample(sample),
                "unknown": sample.fidelity.detected is None,
                "reward": scores.total[index],
                **{reward_part(name).name: part[index] for name, part in scores.parts.items()},
                **values,
                "language_term_change": abs(values["advantage"] - values["base_advantage"]),
                "alignment_factor": float(result.factor[index]),
                "logprob_mean": float(logprobs.mean()) if len(logprobs) else 0.0,
                "logprob_min": float(logprobs.min()) if len(logprobs) else 0.0,
                "sampler_gap": None if mismatch is None else mismatch.total / mismatch.tokens,
                "sampler_gap_max": None if mismatch is None else mismatch.largest,
                "trained": index in changes,
                **(asdict(changes[index]) if index in changes else untrained),
            }
        )
    return rows


def step_metrics(rows: Sequence[Row], parts: Sequence[str] = ()) -> dict[str, float]:
    """The metrics of one step from its rollout rows: `name`, `name/<language>` where it is kept by language, and
    `reward/<part>` for the `parts` of a composed reward."""
    metrics = {name: _mean(rows, column) for name, column in MEANS.items()}
    metrics |= {f"reward/{name}": _mean(rows, reward_part(name).name) for name in parts}
    metrics |= {f"status_{status}": _share(rows, "status", status) for status in STATUSES}
    metrics |= _following(rows) | _update_metrics(rows) | _group_metrics(rows) | _probe_metrics(rows)
    metrics["sampled_groups"] = len({row["group"] for row in rows})
    metrics["trained_groups"] = len({row["group"] for row in rows if row["trained"]})
    for code in sorted({row["language"] for row in rows}):
        of_language = [row for row in rows if row["language"] == code]
        values = {name: _mean(of_language, MEANS[name]) for name in PER_LANGUAGE}
        values |= {name: value for name, value in _update_metrics(of_language).items() if name != "ratio_min"}
        values |= _following(of_language) | _group_metrics(of_language)
        metrics |= {f"{name}/{code}": value for name, value in values.items()}
    return metrics


def evidence_metrics(evidence: Evidence, step: int, ranks: Ranks) -> dict[str, float]:
    """How often services were asked in a step, on all ranks together; nothing for a reward that needs none. Every rank must
    call this."""
    if not evidence.served:
        return {}
    counts = evidence.counts.pop(step, Counter())
    asked, cached, missing = ranks.sum([counts.get(name, 0) for name in (ASKED, CACHED, MISSING)])
    return {
        "evidence_asked": asked,
        "evidence_cached": cached / asked if asked else 0.0,
        "evidence_missing": missing / asked if asked else 0.0,
    }


def answer_entropy(rows: Sequence[Row]) -> float:
    """How varied the answers of a step are: the entropy of their shares over ln of their number, in [0, 1]; to have none is
    an answer, too. 0: the same to every question."""
    count = Counter(row["answer"] for row in rows)
    shares = [number / len(rows) for number in count.values()]
    return -sum(share * math.log(share) for share in shares) / math.log(len(rows)) if len(rows) > 1 else 0.0


def _following(rows: Sequence[Row]) -> dict[str, float]:
    """Of the rows to which it applies; nothing when there are none."""
    return {"following": _mean(rows, "follows")} if any(row["follows"] is not None for row in rows) else {}


def _update_metrics(rows: Sequence[Row]) -> dict[str, float]:
    """Of the rows that were trained on; nothing when there are none."""
    rows = [row for row in rows if row["trained"]]
    if not rows:
        return {}
    optional = ("sampler_kl", "importance_capped", "counted", "kl")
    known = [name for name in optional if any(row[name] is not None for row in rows)]
    return {name: _mean(rows, name) for name in known} | {
        "entropy": _mean(rows, "entropy"),
        "approximate_kl": _mean(rows, "approximate_kl"),
        "clip_fraction": _mean(rows, "clip_fraction"),
        "ratio_max": max(row["ratio_max"] for row in rows),
        "ratio_min": min(row["ratio_min"] for row in rows),
    }


def _probe_metrics(rows: Sequence[Row]) -> dict[str, float]:
    """Of the rows that the trainer was asked about; nothing when there are none."""
    rows = [row for row in rows if row["sampler_gap"] is not None]
    if not rows:
        return {}
    total = sum(row["sampler_gap"] * row["tokens"] for row in rows)
    return {
        "sampler_gap": total / sum(row["tokens"] for row in rows),
        "sampler_gap_max": max(row["sampler_gap_max"] for row in rows),
    }


def _group_metrics(rows: Sequence[Row]) -> dict[str, float]:
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    flat = [max(r["advantage"] for r in g) - min(r["advantage"] for r in g) < NOTICEABLE for g in groups.values()]
    touched = [any(r["language_term_change"] > NOTICEABLE for r in g) for g in groups.values()]
    return {
        "zero_variance_groups": sum(flat) / len(groups),
        "language_term_groups": sum(touched) / len(groups),
    }


def _mean(rows: Sequence[Row], column: str) -> float:
    """Mean over the rows where the value applies (a reward may be None, which is not 0)."""
    values = [float(row[column]) for row in rows if row[column] is not None]
    return sum(values) / len(values) if values else 0.0


def _share(rows: Sequence[Row], column: str, value: str) -> float:
    return sum(bool(row[column] == value) for row in rows) / len(rows)

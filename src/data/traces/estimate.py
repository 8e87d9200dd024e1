"""What the requests that are left will take: tokens, cost, hours. Told before the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from src.data.traces.answers import Answer, Request
from src.services.chat import BYTES_PER_TOKEN
from src.services.spec import TeacherSpec

ENOUGH = 20  # answers, before their means are believed
ASSUMED_SPEED = 30.0  # tokens a second for one request, before any is measured


@dataclass(frozen=True)
class Estimate:
    """`left` requests, their tokens, cost and hours; `spent` is what the answers there are cost. `measured` says whether
    means of answers are behind it, or the maximum of tokens."""

    left: int
    tokens_in: float
    tokens_out: float
    cost: float
    hours: float
    spent: float
    measured: bool

    def text(self, spec: TeacherSpec) -> str:
        """The estimate in two lines."""
        basis = f"traces.teacher.maximum_tokens, {ASSUMED_SPEED:g} tokens a second"
        if self.measured:
            basis = "means of the answers so far"
        return (
            f"{self.left:,} requests left for {spec.model}: {self.tokens_in:,.0f} tokens in, {self.tokens_out:,.0f} out, "
            f"{self.hours:.2f} hours at {spec.concurrency} at once (from {basis})\n"
            f"cost {self.cost:,.2f}, spent {self.spent:,.2f}, budget {spec.budget:,.2f}"
        )


def estimate(spec: TeacherSpec, left: Sequence[Request], known: Sequence[Answer], own: Sequence[Answer]) -> Estimate:
    """The estimate for the requests `left`, from all answers `known` of this teacher; `own` are those already there."""
    measured = len(known) >= ENOUGH
    tokens_in = float(sum(prompt_tokens(request) for request in left))
    tokens_out = float(spec.maximum_tokens * len(left))
    seconds = tokens_out / ASSUMED_SPEED
    if measured:
        tokens_in = _mean([answer.prompt_tokens for answer in known]) * len(left)
        tokens_out = _mean([answer.completion_tokens for answer in known]) * len(left)
        seconds = _mean([answer.seconds for answer in known]) * len(left)
    return Estimate(
        left=len(left),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=spec.cost(tokens_in, tokens_out),
        hours=seconds / spec.concurrency / 3600,
        spent=spent(spec, own),
        measured=measured,
    )


def prompt_tokens(request: Request) -> int:
    """About how many tokens a request has, before the server has counted."""
    return len(request.text.encode(errors="replace")) // BYTES_PER_TOKEN + 1


def spent(spec: TeacherSpec, answers: Sequence[Answer]) -> float:
    """What the answers cost."""
    return spec.cost(sum(a.prompt_tokens for a in answers), sum(a.completion_tokens for a in answers))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

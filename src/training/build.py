"""The learner that a configuration asks for."""

from __future__ import annotations

from typing import Any

from src.distributed.ranks import Ranks
from src.distributed.spec import DistributedSpec, OptimiserSpec
from src.training.learner import Learner


def build_learner(policy: Any, spec: OptimiserSpec, ranks: Ranks, distributed: DistributedSpec) -> Learner:
    """The learner that `distributed.zero` asks for."""
    if not distributed.zero:
        return Learner(policy, spec, ranks)
    from src.training.zero import ZeroLearner

    return ZeroLearner(policy, spec, ranks, distributed)

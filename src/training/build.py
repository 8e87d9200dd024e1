"""The learner that a configuration asks for."""

from __future__ import annotations

from typing import Any

from src.distributed.ranks import Ranks
from src.distributed.spec import DistributedSpec, OptimiserSpec
from src.models.head import head_of
from src.models.load import plain_model
from src.training.learner import Learner


def build_learner(policy: Any, spec: OptimiserSpec, ranks: Ranks, distributed: DistributedSpec) -> Learner:
    """The learner that `distributed.zero` asks for."""
    if hasattr(plain_model(policy), "get_output_embeddings"):
        head_of(plain_model(policy))  # measured while the weights are whole
    if not distributed.zero:
        return Learner(policy, spec, ranks)
    from src.training.zero import ZeroLearner

    return ZeroLearner(policy, spec, ranks, distributed)

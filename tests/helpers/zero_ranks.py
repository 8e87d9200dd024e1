"""What two ranks find, for `test_zero.py`: `python -m tests.helpers.zero_ranks <folder>` under `src.distributed.spawn`.

Every way to split is held to the plain learner on the whole batch: one rank's work, done here beside it.
"""

import copy
import json
import sys
from pathlib import Path

import torch

from src.distributed.ranks import Ranks, init_ranks, shutdown_ranks
from src.distributed.spec import DistributedSpec, OptimiserSpec
from src.models import logprobs
from src.models.load import add_lora, policy_weights
from src.models.spec import LoraSpec
from src.training.build import build_learner
from src.training.learner import Learner
from src.training.supervised import Row, backward
from tests.helpers import tiny

# Name -> architecture, tied embeddings, rank of adapters, and whether the ranks' vocabulary counts as large.
CASES = {
    "qwen2": ("qwen2", False, 0, False),
    "qwen3": ("qwen3", True, 4, False),
    "qwen2 in chunks": ("qwen2", False, 0, True),
    "qwen3 in chunks": ("qwen3", True, 0, True),
}
SPEC = OptimiserSpec(learning_rate=0.001, gradient_clip=0.1, weight_decay=0.1)
STEPS = 3
WHOLE = logprobs.LOGITS_AT_ONCE


def rows(step: int) -> list[Row]:
    """Five sequences of different lengths: two ranks cannot share them evenly."""
    generator = torch.Generator().manual_seed(step)
    return [Row(torch.randint(4, 40, (4,), generator=generator).tolist(), list(range(4, 8 + 3 * n))) for n in range(5)]


def train(learning: Learner, steps: range) -> list[tuple[float, float]]:
    """Loss and gradient norm of each step, in micro-batches of one sequence: three on one rank, two on the other."""
    updates = []
    for step in steps:
        whole = rows(step)
        tokens = sum(len(row.completion) for row in whole)
        loss = backward(learning, learning.ranks.shard(whole), tokens, 1, pad=0)
        (loss,) = learning.ranks.sum([loss])
        updates.append((loss, learning.update(SPEC.learning_rate, loss, "test")))
    return updates


def weights(learning: Learner) -> dict[str, torch.Tensor]:
    named = policy_weights(learning.policy)
    return {name: named[name].detach().float().clone() for name in named}


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def policy(kind: str, tied: bool, rank: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return add_lora(tiny.model(kind, tied=tied), LoraSpec(rank=rank, alpha=2 * rank))


def main(folder: Path) -> None:
    ranks = init_ranks(DistributedSpec())
    report = {}
    for name, (kind, tied, adapters, large) in CASES.items():
        logprobs.LOGITS_AT_ONCE = WHOLE
        straight = Learner(policy(kind, tied, adapters), SPEC, Ranks())
        expected = train(straight, range(STEPS))
        early = Learner(policy(kind, tied, adapters), SPEC, Ranks())
        train(early, range(1))
        halfway = early.state()
        logprobs.LOGITS_AT_ONCE = 0 if large else WHOLE
        for zero in (0, 1, 2, 3):
            own = DistributedSpec(zero=zero)
            # 1. From the start: losses, gradient norms, weights.
            split = build_learner(policy(kind, tied, adapters), SPEC, ranks, own)
            first = train(split, range(1))
            state = copy.deepcopy(split.state())
            rest = train(split, range(1, STEPS))
            # 2. From the checkpoint of one process; and one process from the checkpoint of several.
            resumed = build_learner(policy(kind, tied, adapters), SPEC, ranks, own)
            resumed.load(copy.deepcopy(halfway))
            train(resumed, range(1, STEPS))
            back = Learner(policy(kind, tied, adapters), SPEC, Ranks())
            back.load(state)
            train(back, range(1, STEPS))
            report[f"{name} zero {zero}"] = {
                "losses": max(abs(a[0] - b[0]) for a, b in zip(expected, first + rest, strict=True)),
                "norms": max(abs(a[1] - b[1]) / a[1] for a, b in zip(expected, first + rest, strict=True)),
                "weights": apart(weights(straight), weights(split)),
                "resumed on several": apart(weights(straight), weights(resumed)),
                "resumed on one": apart(weights(straight), weights(back)),
                "moved": apart(weights(straight), weights(Learner(policy(kind, tied, adapters), SPEC, Ranks()))),
            }
    if ranks.main:
        (folder / "report.json").write_text(json.dumps(report))
    shutdown_ranks()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""How long a stage takes on devices that are not here, from counted operations and bytes.

Symbols as in `src.models.memory`. What a device reaches of its peak is an assumption, stated with every number. Left out:
grading, start-up, waiting for the slowest rank, and traffic between devices.
"""

from __future__ import annotations

from dataclasses import dataclass

from src.models.memory import Shape


@dataclass(frozen=True)
class Device:
    """Peaks of one device, and the shares of them that are assumed to be reached."""

    memory: float  # bytes
    flops: float  # bfloat16 operations a second, dense
    bandwidth: float  # bytes a second
    reached_flops: float = 0.3
    reached_bandwidth: float = 0.5


H100 = Device(memory=80e9, flops=989e12, bandwidth=3.35e12)


@dataclass(frozen=True)
class Step:
    """A GRPO step: `rollouts` completions of `response` tokens on average after `prompt` tokens. Each of `engines` groups
    of `parallel` devices decodes `rows` at once."""

    rollouts: int
    prompt: int
    response: int
    rows: int
    engines: int = 1
    parallel: int = 1
    rank: int = 32
    checkpointing: bool = True
    reference: bool = True
    width: int = 2

    @property
    def tokens(self) -> int:
        """Tokens the update goes through."""
        return self.rollouts * (self.prompt + self.response)


def forward(shape: Shape, length: float, head: bool = True) -> float:
    """Operations of a forward pass, a token: 2 for each weight of the linear layers (and of the head), and 2 L A length for
    the attention of a sequence of `length` tokens, whose scores and sums look at half of it on average."""
    weights = shape.linear + head * shape.vocabulary * shape.hidden
    return 2 * weights + 2 * shape.layers * shape.query * length


def passes(rank: int, checkpointing: bool) -> int:
    """An update in forward passes: one forward, one for gradients of activations, one for those of weights (adapters' cost
    next to nothing), and one to compute layers again."""
    return 2 + (rank == 0) + checkpointing


def update_seconds(shape: Shape, step: Step, device: Device, devices: int) -> float:
    """One update on every rollout, with the reference policy's forward pass."""
    each = forward(shape, step.prompt + step.response) * (passes(step.rank, step.checkpointing) + step.reference)
    return each * step.tokens / (devices * device.flops * device.reached_flops)


def rollout_seconds(shape: Shape, step: Step, device: Device) -> float:
    """Prompts once, then a token of every row at a time. A step of decoding reads all weights and the cache of its rows, or
    computes 2 P rows operations, whichever takes longer."""
    mine = step.rollouts / step.engines
    rows = min(step.rows, mine)
    length = step.prompt + step.response / 2
    flops = device.flops * device.reached_flops
    bandwidth = device.bandwidth * device.reached_bandwidth
    read = step.width * (shape.parameters + rows * 2 * shape.layers * shape.key * length) / bandwidth
    computed = rows * forward(shape, length) / flops
    decoding = step.response * (mine / rows) * max(read, computed)
    prompts = mine * step.prompt * forward(shape, step.prompt) / flops
    return (decoding + prompts) / step.parallel

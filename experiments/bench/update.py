"""`make bench-update`: the operations that `src.models.cost` counts beside the clock, for every way to make an update.

A Qwen2 model of random weights on one thread, in float32; medians of 5 after a warm-up. Then what a mini-batch costs of
which three quarters of the rows have advantage 0, in CPU seconds, with all rows learned and with those alone that count.
"""

from __future__ import annotations

import statistics
import time
from types import SimpleNamespace
from typing import Any, cast

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from src.algorithm.spec import LossSpec
from src.distributed.ranks import Ranks
from src.distributed.spec import OptimiserSpec
from src.models.cost import forward, passes
from src.models.load import add_lora, checkpointed
from src.models.logprobs import Batch, collate, completion_logprobs
from src.models.memory import Shape
from src.models.spec import LoraSpec
from src.rollout.engines.base import Rollout
from src.training.learner import Learner
from src.training.update import Updater

ROWS = 4
PROMPT = 16
RESPONSE = 496
SHORT = 112  # of the rows of a mini-batch


def build_model() -> Any:
    torch.manual_seed(0)
    constructor: Any = Qwen2ForCausalLM  # it has no types
    model = constructor(
        Qwen2Config(
            vocab_size=4096,
            hidden_size=512,
            intermediate_size=2048,
            num_hidden_layers=8,
            num_attention_heads=8,
            num_key_value_heads=2,
            tie_word_embeddings=False,
            max_position_embeddings=1024,
        )
    )
    return model.eval()


def seconds(policy: Any, batch: Batch, learn: bool) -> float:
    """The median of 5 passes after a warm-up."""
    times = []
    for _ in range(6):
        began = time.perf_counter()
        with torch.set_grad_enabled(learn):
            logprobs, _ = completion_logprobs(policy, batch, entropy="none")
            if learn:
                torch.autograd.backward(logprobs.sum())
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def of_minibatch(policy: Any, every: bool) -> float:
    """The median CPU seconds of 3 mini-batches of 16 rows after a warm-up, 12 of them with advantage 0; with `every` those
    are given one that is next to nothing."""
    updater = Updater(
        Learner(policy, OptimiserSpec(learning_rate=1e-3), Ranks()), LossSpec(kl_coefficient=0.0), 1.0, 2048, 0
    )
    rollouts = [Rollout([2 + n] * SHORT, torch.full((SHORT,), -8.3), False) for n in range(16)]
    rows = [cast(Any, SimpleNamespace(prompt=[1] * PROMPT, rollout=rollout)) for rollout in rollouts]
    advantage = torch.tensor([1.0 if n % 4 == 0 else (1e-30 if every else 0.0) for n in range(16)])
    times = []
    for _ in range(4):
        began = time.process_time()
        batches = updater.microbatches(rows, range(16), advantage)
        updater.accumulate(batches, advantage, updater.old_logprobs(batches), 16 * SHORT, 16)
        updater.learner.update(1e-6, 0.0, "bench")
        times.append(time.process_time() - began)
    return statistics.median(times[1:])


def main() -> None:
    torch.set_num_threads(1)
    batch = collate([[1] * PROMPT] * ROWS, [[2] * RESPONSE] * ROWS, 0)
    plain = build_model()
    shape = Shape.of(plain.config.to_dict())
    once = forward(shape, PROMPT + RESPONSE) * ROWS * (PROMPT + RESPONSE)
    base = seconds(plain, batch, learn=False)
    print("| update | forward passes counted | forward passes by the clock | GFLOP/s |\n|---|---|---|---|")
    print(f"| forward pass alone | 1 | 1.00 | {once / base / 1e9:.0f} |")
    for name, rank, again in (
        ("all weights", 0, False),
        ("all weights, checkpointing", 0, True),
        ("LoRA", 32, False),
        ("LoRA, checkpointing", 32, True),
    ):
        policy = add_lora(build_model(), LoraSpec(rank=rank, alpha=64))
        took = seconds(checkpointed(policy) if again else policy, batch, learn=True)
        counted = passes(rank, again)
        print(f"| {name} | {counted} | {took / base:.2f} | {counted * once / took / 1e9:.0f} |")
    print(
        "\n| 12 of 16 rows with advantage 0 | all learned, CPU s | those that count, CPU s | times as fast |\n|---|---|---|---|"
    )
    for name, rank, again in (("all weights", 0, False), ("LoRA", 32, False), ("LoRA, checkpointing", 32, True)):
        policy = add_lora(build_model(), LoraSpec(rank=rank, alpha=64))
        policy = checkpointed(policy) if again else policy
        before, after = of_minibatch(policy, every=True), of_minibatch(policy, every=False)
        print(f"| {name} | {before:.2f} | {after:.2f} | {before / after:.2f} |")


if __name__ == "__main__":
    main()

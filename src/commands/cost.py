"""What the published GRPO run would take on machines that are not here: `python -m src cost` writes docs/cost.md.

Memory by `src.models.memory`, time by `src.models.cost`, with the share of its operations that one H100 was seen to reach.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

from src.common.tables import Table
from src.models.cost import H100, Step, rollout_seconds, update_seconds
from src.models.memory import GB, KNOWN, Shape, Work, cache, items, total
from src.rollout.spec import VllmSpec

SHARE = VllmSpec().memory_share
ROWS = VllmSpec().sequences_at_once
# The published run.
PROMPTS = 512
COMPLETIONS = 8
STEPS = 90
# Tokens: limit of a prompt, of a completion, and its assumed mean.
PROMPT = 512
LONGEST = 4096
RESPONSE = 1500
ASKED = 150  # assumed mean length of a prompt
MACHINES = {"1 x 80 GB": 1, "8 x 80 GB": 8, "4 nodes of 8 x 80 GB": 32}
MODELS = {"1.5B": 1, "4B": 1, "7B": 1, "32B": 8}  # devices that share an engine
NAMES = {
    "1.5B": "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
    "4B": "Qwen/Qwen3-4B",
    "7B": "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    "32B": "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
}
# Of a device's operations in an update, as measured (`make bench-gpu`); 32B is taken to reach what 7B does.
REACHED = {"1.5B": 0.15, "4B": 0.20, "7B": 0.30, "32B": 0.30}
SCALES = {"1.5B": "distill_1_5b", "4B": "qwen3_4b", "7B": "distill_7b", "32B": f"distill_7b model.path={NAMES['32B']}"}
HEAD = """\
# Memory and time on GPUs

Made by `make cost-doc` from counted operations and bytes ([formulas](../src/models/cost.py), [memory](../src/models/memory.py)).
**No row was run.** Updates take the share of an H100's {peak:.0f} TFLOP/s that short runs reached on one
([bench](../experiments/bench/README.md#one-gpu)): {shares}, and 32B as 7B. Their memory was 3 to 4 % below what is counted here.
Rollouts are assumed to reach {bandwidth:.0%} of its {bytes:.2f} TB/s with vLLM, which has not been run.

The published GRPO run: {prompts} prompts x {completions} completions a step, {steps} steps,
LoRA of rank 32 on all linear layers in bfloat16 with gradient checkpointing, prompts of {asked} and completions of {response:,}
tokens on average (assumed; the limits are {prompt} and {longest:,}). vLLM has {share:.0%} of a device's memory and
gives it back for the update. Grading, start-up, traffic between devices and waiting for the slowest are left out, so
times are optimistic.

{table}

Where a cell says no, memory is short for the weights of trainer and sampler together. On 4 nodes every rank is a task
(`cluster=slurm_multinode`). How the operations counted compare with the clock on a CPU: [bench](../experiments/bench/README.md#update).
"""


@dataclass(frozen=True)
class Row:
    """One model on one machine; `memory` in bytes a device, times in seconds a step (None: it does not fit)."""

    model: str
    machine: str
    settings: str
    memory: int
    rollout: float | None
    update: float | None

    def cells(self) -> list[str]:
        if self.rollout is None or self.update is None:
            return [self.model, self.machine, f"`{self.settings}`", f"{self.memory / GB:.0f}", "no", "", ""]
        hours = STEPS * (self.rollout + self.update) / 3600
        took = [f"{self.rollout:.0f}", f"{self.update:.0f}", f"{hours:.1f}"]
        return [self.model, self.machine, f"`{self.settings}`", f"{self.memory / GB:.0f}", *took]


def row(model: str, machine: str) -> Row:
    """What the run takes, with weights split over the ranks where a device cannot hold them twice."""
    shape = Shape.of(KNOWN[NAMES[model]])
    devices = MACHINES[machine]
    parallel = min(MODELS[model], devices)
    zero = 3 if MODELS[model] > 1 and devices > 1 else 0
    tokens = 16_384 if zero == 0 else 8_192
    served = int(SHARE * H100.memory)
    work = Work(
        width=2,
        rank=32,
        checkpointing=True,
        tokens=tokens,
        targets=tokens,
        rows=ROWS,
        prompt=PROMPT,
        response=LONGEST,
        engine="vllm",
        served=served,
        ranks=devices,
        zero=zero,
    )
    settings = [f"scale={SCALES[model]}", "rollout=vllm", f"distributed.processes={devices}"]
    settings += [f"distributed.zero={zero}", f"grpo.tokens_per_microbatch={tokens}"] if zero else []
    settings += [f"rollout.vllm.tensor_parallel={parallel}"] if parallel > 1 else []
    memory = total(items(shape, work))
    left = served - shape.parameters * 2 / parallel
    one = Work(width=2, rows=1, prompt=ASKED, response=RESPONSE)
    rows = int(left * parallel / cache(shape, one))
    if memory > H100.memory or rows < 1:
        return Row(model, machine, " ".join(settings), memory, None, None)
    engines = devices // parallel
    step = Step(PROMPTS * COMPLETIONS, ASKED, RESPONSE, min(ROWS, rows), engines=engines, parallel=parallel)
    rollout = rollout_seconds(shape, step, H100)
    update = update_seconds(shape, step, replace(H100, reached_flops=REACHED[model]), devices)
    return Row(model, machine, " ".join(settings), memory, rollout, update)


def document() -> str:
    """The page, as markdown."""
    names = [
        "model",
        "machine",
        "settings",
        "GB a device",
        "rollouts, s a step",
        "update, s a step",
        f"hours, {STEPS} steps",
    ]
    rows = [row(model, machine).cells() for model in MODELS for machine in MACHINES]
    return HEAD.format(
        prompts=PROMPTS,
        completions=COMPLETIONS,
        steps=STEPS,
        asked=ASKED,
        response=RESPONSE,
        prompt=PROMPT,
        longest=LONGEST,
        shares=", ".join(f"{REACHED[model]:.0%} with {model}" for model in ("1.5B", "4B", "7B")),
        peak=H100.flops / 1e12,
        bandwidth=H100.reached_bandwidth,
        bytes=H100.bandwidth / 1e12,
        share=SHARE,
        table=Table(names, rows).markdown(),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    argparse.ArgumentParser(prog="python -m src cost", description=__doc__).parse_args(arguments)
    print(document(), end="")
    return 0

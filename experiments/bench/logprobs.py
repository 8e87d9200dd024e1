"""Memory and time of log-probabilities with gradients, beside the plain way, all logits at once.

`make bench-logprobs`: a Qwen2 model of one layer (hidden size 1,536, as DeepSeek-R1-Distill-Qwen-1.5B), 2 x 1,024
completion tokens, float32; log-probabilities, entropies and the backward pass (`Learner.learn`). `chunked` is
`src.models.vocabulary`, which a frozen head and whole-sequence objectives take; `fused` is `src.models.fused`. Each way
has a fresh process: peak resident memory above what the process held before a first micro-batch, and before a second,
when gradients are there; and the median processor time of more (over all threads, so that other work does not count).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

ROWS = 2
TOKENS = 1024
HIDDEN = 1536
REPEATS = 3
WAYS = {"frozen": ("plain", "chunked"), "trained": ("plain", "chunked", "fused")}


def build_model(vocabulary: int, trained: bool) -> Any:
    """One layer and an untied head; `trained` is full training, otherwise the head is frozen, as it is with LoRA."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    constructor: Any = Qwen2ForCausalLM  # it has no types
    model = constructor(
        Qwen2Config(
            vocab_size=vocabulary,
            hidden_size=HIDDEN,
            intermediate_size=HIDDEN,
            num_hidden_layers=1,
            num_attention_heads=12,
            num_key_value_heads=2,
            tie_word_embeddings=False,
        )
    )
    model.model.embed_tokens.weight.requires_grad_(False)
    model.lm_head.weight.requires_grad_(trained)
    return model.eval()


def work(model: Any, way: str, vocabulary: int) -> float:
    """One micro-batch, as training goes through it; returns a number that all ways must agree on."""
    from src.distributed.ranks import Ranks
    from src.distributed.spec import OptimiserSpec
    from src.models import logprobs
    from src.training.learner import Learner

    logprobs.LOGITS_AT_ONCE = sys.maxsize if way == "plain" else 0
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, vocabulary, (ROWS, TOKENS + 1), generator=generator).tolist()
    batch = logprobs.collate([row[:1] for row in tokens], [row[1:] for row in tokens], 0)
    learner = Learner(model, OptimiserSpec(learning_rate=1e-3), Ranks())
    value, _, entropies = learner.learn(batch, lambda new, _: new.mean(), 0.8, by_token=way == "fused")
    return value + float(entropies.mean())


def resident(field: str) -> float:
    """MiB of this process, now (`VmRSS`) or at most (`VmHWM`)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}: this measurement needs Linux")


def measure(way: str, vocabulary: int, trained: bool, repeats: int) -> dict[str, float]:
    """Peak MiB above what was held before, of a first micro-batch and of a second, to whose gradients it adds; then
    processor seconds of more first ones."""
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    model = build_model(vocabulary, trained)
    peaks = []
    for _ in range(2):
        ctypes.CDLL(None).malloc_trim(0)  # free memory is given back
        before = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        value = work(model, way, vocabulary)
        peaks.append(resident("VmHWM") - before)
    times = []
    for _ in range(repeats):
        model.zero_grad(set_to_none=True)
        began = time.process_time()
        work(model, way, vocabulary)
        times.append(time.process_time() - began)
    return {"first": peaks[0], "second": peaks[1], "seconds": statistics.median(times or [0.0]), "value": value}


def measure_in_fresh_process(*arguments: str, threads: int) -> dict[str, float]:
    environment = dict(os.environ) | {"PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, __file__, "--one", *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=4, metavar=("WAY", "VOCABULARY", "TRAINED", "REPEATS"))
    parser.add_argument("--vocabularies", default="32768,65536,151936,262144")
    parser.add_argument("--heads", default="frozen,trained")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    if options.one:
        way, vocabulary, trained, repeats = options.one
        print(json.dumps(measure(way, int(vocabulary), trained == "trained", int(repeats))))
        return
    print("| head | vocabulary | way | first MiB | share | second MiB | share | CPU s | times as long |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for head in options.heads.split(","):
        for vocabulary in options.vocabularies.split(","):
            plain = None
            for way in WAYS[head]:
                result = measure_in_fresh_process(way, vocabulary, head, str(options.repeats), threads=options.threads)
                plain = plain or result
                if abs(plain["value"] - result["value"]) > 1e-5 * abs(plain["value"]):
                    raise SystemExit(f"plain and {way} disagree: {plain['value']} and {result['value']}")
                numbers = [
                    f"{result['first']:.0f}",
                    f"{result['first'] / plain['first']:.2f}",
                    f"{result['second']:.0f}",
                    f"{result['second'] / plain['second']:.2f}",
                    f"{result['seconds']:.1f}",
                    f"{result['seconds'] / max(plain['seconds'], 1e-9):.2f}",
                ]
                print(f"| {head} | {int(vocabulary):,} | {way} | {' | '.join(numbers)} |", flush=True)


if __name__ == "__main__":
    main()

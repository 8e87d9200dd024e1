"""Memory and time of merging models on disk, beside the size of the models.

`make bench-merge`: random models with the tensors of a Qwen2 of one layer and a large vocabulary (hidden size 1,024, 32,768
tokens, head not tied: the embedding and the head are 128 MiB each in float32), a base and two that were trained from it. Each
rule has a fresh process: peak resident memory above what the process held before (Linux counts pages of files that are
mapped, too), and the processor time. Loading the result to accept it is not in it; that takes the size of one model.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

HIDDEN = 1024
VOCABULARY = 32_768
RULES = ("linear", "task_arithmetic", "ties", "dare", "layer_swap")


def make_model(folder: Path, seed: int, dtype: torch.dtype) -> None:
    """A folder with `config.json` and weights; of seed 0 the base, of others the base with a drift."""
    from safetensors.torch import save_file

    layer = {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "mlp.up_proj": (4 * HIDDEN, HIDDEN),
        "mlp.down_proj": (HIDDEN, 4 * HIDDEN),
    }
    shapes = {f"model.layers.0.{name}.weight": shape for name, shape in layer.items()}
    shapes |= {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "lm_head.weight": (VOCABULARY, HIDDEN)}
    base, drift = torch.Generator().manual_seed(0), torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        weights[name] = torch.randn(shape, generator=base)
        if seed:
            weights[name] += 0.1 * torch.randn(shape, generator=drift)
        weights[name] = weights[name].to(dtype)
    folder.mkdir()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2", "tie_word_embeddings": False}))


def resident(field: str) -> float:
    """MiB of this process, now (`VmRSS`) or at most (`VmHWM`)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}: this measurement needs Linux")


def measure(name: str, folder: Path) -> dict[str, float]:
    """Peak MiB above what was held before, and processor seconds."""
    from src.common.registry import component
    from src.models.merge.checkpoint import Checkpoint
    from src.models.merge.stream import write_merged

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    rule = component("merge", name)()
    base, *models = (Checkpoint.of(folder / str(number)) for number in range(3))
    out = folder / f"out-{name}"
    out.mkdir()
    ctypes.CDLL(None).malloc_trim(0)  # free memory is given back
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    began = time.process_time()
    write_merged(rule, models, base, out, lambda count, note: None)
    return {"peak": resident("VmHWM") - before, "seconds": time.process_time() - began}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("RULE", "FOLDER"))
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], Path(options.one[1]))))
        return
    print("| dtype | rule | model MiB | largest tensor MiB | peak MiB | CPU s |")
    print("|---|---|---|---|---|---|", flush=True)
    for dtype in options.dtypes.split(","):
        with tempfile.TemporaryDirectory() as place:
            for number in range(3):
                make_model(Path(place) / str(number), number, getattr(torch, dtype))
            size = (Path(place) / "0" / "model.safetensors").stat().st_size / 2**20
            largest = VOCABULARY * HIDDEN * getattr(torch, dtype).itemsize / 2**20
            for rule in RULES:
                environment = dict(os.environ) | {"PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": str(options.threads)}
                command = [sys.executable, __file__, "--one", rule, place]
                done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
                result = json.loads(done.stdout.strip().splitlines()[-1])
                print(
                    f"| {dtype} | {rule} | {size:.0f} | {largest:.0f} | {result['peak']:.0f} | {result['seconds']:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()

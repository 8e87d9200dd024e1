"""A policy in float32 for a moment: what its bfloat16 arithmetic is an approximation of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from src.models.load import plain_model

MEMORY = Path("/proc/meminfo")
SPARE = 1.1  # times the weights: what the passes themselves need


@contextlib.contextmanager
def in_float32(model: Any) -> Iterator[bool]:
    """Every weight of `model` is in float32 inside, and the very tensor of before afterwards; whether that is so. It is not
    where weights are split over ranks, or memory does not hold them twice."""
    halves = [p for p in model.parameters() if p.dtype in (torch.bfloat16, torch.float16)]
    if any(hasattr(parameter, "ds_id") for parameter in model.parameters()):
        yield False
        return
    needed = SPARE * 4 * sum(parameter.numel() for parameter in halves)
    if halves and needed > _free(halves[0].device):
        yield False
        return
    plain = plain_model(model)
    attention = getattr(plain.config, "_attn_implementation", None)
    flash = bool(halves) and str(attention).startswith("flash")  # which has no float32
    kept = [parameter.data for parameter in halves]
    try:
        for parameter in halves:
            parameter.data = parameter.data.float()
        if flash:
            plain.set_attn_implementation("sdpa")
        yield True
    finally:
        for parameter, data in zip(halves, kept, strict=True):
            parameter.data = data
        if flash:
            plain.set_attn_implementation(attention)


def _free(device: torch.device) -> float:
    """Bytes that a tensor may take on `device`; infinity where the machine does not say."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu" or not MEMORY.is_file():
        return float("inf")
    lines = dict(line.split(":", 1) for line in MEMORY.read_text(encoding="utf-8").splitlines() if ":" in line)
    return 1024.0 * float(lines["MemAvailable"].split()[0]) if "MemAvailable" in lines else float("inf")

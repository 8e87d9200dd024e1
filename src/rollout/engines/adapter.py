"""A policy's adapters as peft writes them, and the weights below them: what an engine that adapts by itself takes over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from src.models.load import PolicyWeights, whole

PREFIX = "base_model.model."


class BaseWeights(Mapping[str, Tensor]):
    """Name -> weight of the plain model without its adapters."""

    def __init__(self, weights: PolicyWeights) -> None:
        self.held = weights.held

    def __getitem__(self, name: str) -> Tensor:
        tensor: Tensor = self.held[name][1]
        with whole([tensor]) as gathered:
            return tensor.detach().clone() if gathered else tensor.detach()

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


def lora_rank(weights: Mapping[str, Tensor]) -> int:
    """The largest rank of the adapters; 0 without any."""
    adapted = getattr(weights, "adapted", {})
    return max((int(module.r["default"]) for module in adapted.values()), default=0)


@torch.no_grad()
def write_adapter(weights: PolicyWeights, folder: Path) -> None:
    """`adapter_model.safetensors` and `adapter_config.json`, as peft has them."""
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    modules: set[str] = set()
    alpha = 0.0
    for name, module in weights.adapted.items():
        plain = name.removeprefix(PREFIX)
        modules.add(plain.rpartition(".")[2])
        alpha = module.scaling["default"] * module.r["default"]
        for part in ("lora_A", "lora_B"):
            tensor = getattr(module, part)["default"].weight
            with whole([tensor]):
                tensors[f"{PREFIX}{plain}.{part}.weight"] = tensor.detach().cpu().clone()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": lora_rank(weights),
        "lora_alpha": alpha,
        "target_modules": sorted(modules),
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")

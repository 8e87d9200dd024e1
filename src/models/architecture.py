"""Which models are plain decoders, which the native engine builds and whose prompts are shared, told from `config.json` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARCHITECTURES = ("llama", "qwen2", "qwen3")
SILU = ("silu", "swish")
# Settings that change what these architectures compute and that the decoder does not build, with the value that is off.
UNBUILT: dict[str, Any] = {
    "mlp_bias": False,
    "final_logit_softcapping": None,
    "logit_scale": 1.0,
    "logits_scaling": 1.0,
}


def unbuilt(config: Mapping[str, Any]) -> str | None:
    """What of a model's configuration the native decoder does not build, in words; None where it builds all.

    Args:
        config: as in `config.json`, whatever version of transformers wrote it.
    """
    kind = config.get("model_type")
    if kind not in ARCHITECTURES:
        return f"it decodes {', '.join(ARCHITECTURES)}; this model is {kind!r}"
    if (activation := config.get("hidden_act", "silu")) not in SILU:
        return f"it has the activation silu; this model's is hidden_act={activation!r}"
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    rope = rotary.get("rope_type") or rotary.get("type") or "default"
    if rope != "default":
        return f"it knows plain rotary positions; this model has {rope!r}"
    share = rotary.get("partial_rotary_factor") or config.get("partial_rotary_factor") or 1.0
    if share != 1.0:
        return f"it rotates whole heads; this model has partial_rotary_factor={share}"
    if _window(config):
        return f"it attends to everything; this model has a window of {config.get('sliding_window')} tokens"
    if kind != "qwen2" and config.get("attention_bias"):
        return "it has no bias in the output of attention; this model has attention_bias=true"
    for name, off in UNBUILT.items():
        if config.get(name, off) not in (off, None):
            return f"it does not build {name}; this model has {config[name]!r}"
    return None


def _window(config: Mapping[str, Any]) -> bool:
    """Whether a layer attends to a window. `use_sliding_window` turns it on, and then `layer_types` or `max_window_layers`
    say where."""
    types = config.get("layer_types")
    if types is not None:
        return any(kind != "full_attention" for kind in types)
    if not (config.get("use_sliding_window") and config.get("sliding_window")):
        return False
    return int(config.get("max_window_layers", 0)) < int(config["num_hidden_layers"])

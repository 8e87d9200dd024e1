"""What an exported folder says once more in the words of transformers 4, which many programs still read it with.

Version 5 keeps rotary positions under one name, has renamed the number of experts, and calls its own tokenizer
`TokenizersBackend`. Version 4 ignores the first two, and so takes 10,000 for the base of every model and 128 experts, and does
not know the last. Version 5 reads both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FULL = "full_attention"
SLIDING = "sliding_attention"
NAMED_EXPERTS = ("qwen2_moe", "qwen3_moe", "olmoe", "flex_olmo")


def for_other_versions(folder: Path) -> None:
    """Add what transformers 4 reads to `config.json` and `tokenizer_config.json` in `folder`."""
    _change(folder / "config.json", _sizes)
    _change(folder / "tokenizer_config.json", _tokenizer)


def _change(file: Path, change: Any) -> None:
    if file.is_file():
        settings = json.loads(file.read_text(encoding="utf-8"))
        change(settings)
        text = json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")


def _sizes(config: dict[str, Any]) -> None:
    """`rope_theta` and `rope_scaling` beside `rope_parameters`, and the number of experts, at every depth."""
    for part in [value for value in config.values() if isinstance(value, dict)]:
        _sizes(part)
    if "num_local_experts" in config and str(config.get("model_type")).startswith(NAMED_EXPERTS):
        config.setdefault("num_experts", config["num_local_experts"])
    parameters = config.get("rope_parameters")
    if not isinstance(parameters, dict):
        return
    if isinstance(parameters.get(FULL), dict):  # one for layers with a window, one for the others
        config["rope_theta"] = parameters[FULL].get("rope_theta")
        config["rope_scaling"] = _scaling(parameters[FULL])
        if isinstance(parameters.get(SLIDING), dict):
            config["rope_local_base_freq"] = parameters[SLIDING].get("rope_theta")
    elif "rope_theta" in parameters:
        config["rope_theta"] = parameters["rope_theta"]
        config["rope_scaling"] = _scaling(parameters)
        if config.get("model_type") == "gpt_neox":
            config["rotary_emb_base"] = parameters["rope_theta"]
            config["rotary_pct"] = parameters.get("partial_rotary_factor", 1.0)


def _scaling(parameters: dict[str, Any]) -> dict[str, Any] | None:
    if parameters.get("rope_type", "default") == "default":
        return None
    return {key: value for key, value in parameters.items() if key not in ("rope_theta", "partial_rotary_factor")}


def _tokenizer(settings: dict[str, Any]) -> None:
    if settings.get("tokenizer_class") == "TokenizersBackend":
        settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    if isinstance(settings.get("extra_special_tokens"), list):
        settings["additional_special_tokens"] = settings.pop("extra_special_tokens")

"""Tiny random models of many architectures, written to disk as their uploads are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tests.helpers import tiny

MOE = {"num_experts_per_tok": 2, "moe_intermediate_size": 32}
# Family -> model type and what its configuration has beside the sizes that all share.
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"tie_word_embeddings": True}),
    "mistral": ("mistral", {"sliding_window": 8}),
    "gemma2": ("gemma2", {"final_logit_softcapping": 5.0, "sliding_window": 8, "query_pre_attn_scalar": 8}),
    "gemma3_text": ("gemma3_text", {"sliding_window": 8, "query_pre_attn_scalar": 8}),
    "gemma3": ("gemma3", {"sliding_window": 8, "query_pre_attn_scalar": 8}),
    "granite": ("granite", {"logits_scaling": 8.0, "residual_multiplier": 0.5, "embedding_multiplier": 2.0}),
    "cohere": ("cohere", {"logit_scale": 0.25}),
    "cohere2": ("cohere2", {"logit_scale": 0.25, "sliding_window": 8}),
    "phi": ("phi", {}),
    "gpt_neox": ("gpt_neox", {}),
    "opt": ("opt", {"ffn_dim": 64, "word_embed_proj_dim": 16}),
    "mixtral": ("mixtral", {"num_local_experts": 4, "num_experts_per_tok": 2}),
    "qwen3_moe": ("qwen3_moe", {"num_experts": 4, **MOE, "decoder_sparse_step": 1, "mlp_only_layers": []}),
    "gpt_oss": ("gpt_oss", {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8}),
}
# After their head: a scale, a cap.
TRANSFORMED = ("granite", "cohere", "cohere2", "gemma2")
EXPERTS = ("mixtral", "qwen3_moe", "gpt_oss")
EAGER = ("gpt_oss",)  # have no other attention on a CPU


def sizes(vocabulary: int) -> dict[str, Any]:
    """What every family is made with."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 512,
        "bos_token_id": 7,
        "eos_token_id": 0,
        "pad_token_id": 8,
    }


def model(family: str, seed: int = 0, **more: Any) -> Any:
    """A model of `family` with two layers, over the tokens of `tiny.tokenizer`, its weights large enough for its predictions
    to differ; `more` is set in its configuration."""
    from transformers import AutoConfig, AutoModelForCausalLM

    kind, own = FAMILIES[family]
    settings = sizes(len(tiny.tokenizer(tiny.QWEN3))) | own | more
    if family == "gemma3":
        vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
        settings = {"text_config": settings, "vision_config": vision | {"image_size": 28, "patch_size": 14}}
        settings["mm_tokens_per_image"] = 4
    attention = {"attn_implementation": "eager"} if family in EAGER else {}
    made: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings), **attention)  # type: ignore[no-untyped-call]
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in made.named_parameters():
        ones = parameter.dim() == 1 and "norm" in name and "bias" not in name and "gemma" not in family
        values = 0.2 * torch.randn(parameter.shape, generator=generator)
        parameter.data.copy_(values + 1.0 if ones else values)
    return made.eval()


def write(folder: Path, family: str, seed: int = 0, template: str = tiny.QWEN3, **more: Any) -> Path:
    """`folder` with a model of `family` and a tokenizer, as transformers writes them."""
    model(family, seed, **more).save_pretrained(folder)
    tiny.tokenizer(template).save_pretrained(folder)
    return folder

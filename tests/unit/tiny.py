"""Small models and questions that several tests share."""

from __future__ import annotations

from typing import Any

import torch


def model(kind: str = "qwen3", seed: int = 0) -> Any:
    """A two-layer model of 50 tokens whose weights are large enough for its predictions to differ."""
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

    config, build = {"qwen3": (Qwen3Config, Qwen3ForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}[kind]
    torch.manual_seed(seed)
    made = build(
        config(
            vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, tie_word_embeddings=kind == "qwen3", max_position_embeddings=128,
        )
    ).eval()  # fmt: skip
    for parameter in made.parameters():
        parameter.data.normal_(1.0 if parameter.dim() == 1 else 0.0, 0.25)
    return made

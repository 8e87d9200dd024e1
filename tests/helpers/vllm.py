"""Models and prompts for tests of vLLM, and how far its log-probabilities are from transformers'."""

import os

import torch

from src.models.logprobs import collate, completion_logprobs

ENGINE = os.environ.get("ENGINE", "qwen3")
KIND, _, SYNC = ENGINE.partition("-")
PROMPTS = [[3, 4, 5], [7, 8, 9, 10, 11, 12] * 25, [5]]  # the second is longer than BLOCK
BLOCK = 128  # tokens that vLLM's cache keeps together on a CPU
STREAMS = [1, 2**62, 3]
END, OTHER_END = 1, 2


def model(tied=True, seed=0):
    """Two layers with heads of 32, the smallest that vLLM's attention has on a CPU."""
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

    config, build = {"qwen3": (Qwen3Config, Qwen3ForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}[KIND]
    torch.manual_seed(seed)
    made = build(
        config(
            vocab_size=64,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=32,
            tie_word_embeddings=tied,
            max_position_embeddings=512,
        )
    ).eval()
    change(made, seed)
    return made


def change(made, seed):
    """Other weights, drawn from `seed`."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        parameter.data.normal_(1.0 if parameter.dim() == 1 else 0.0, 0.1, generator=generator)


def apart(made, groups, temperature=1.0):
    """The largest difference of the sampler's log-probabilities to transformers'."""
    pairs = [(prompt, row) for prompt, group in zip(PROMPTS, groups, strict=True) for row in group]
    batch = collate([prompt for prompt, _ in pairs], [row.tokens for _, row in pairs], 0)
    with torch.no_grad():
        known, _ = completion_logprobs(made, batch, temperature, "none")
    return max(float((known[i, : len(r.tokens)] - r.logprobs).abs().max()) for i, (_, r) in enumerate(pairs))

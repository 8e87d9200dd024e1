"""Small models and questions that several tests share."""

from __future__ import annotations

from typing import Any

import torch

from src.distributed.ranks import Ranks
from src.distributed.spec import OptimiserSpec
from src.training.learner import Learner


def model(kind: str = "qwen3", seed: int = 0, tied: bool | None = None, vocabulary: int = 50) -> Any:
    """A two-layer model of 50 tokens whose weights are large enough for its predictions to differ. Tied weights by
    default are those of Qwen3."""
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

    config, build = {"qwen3": (Qwen3Config, Qwen3ForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}[kind]
    torch.manual_seed(seed)
    made = build(
        config(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            tie_word_embeddings=kind == "qwen3" if tied is None else tied,
            max_position_embeddings=128,
        )
    ).eval()
    for parameter in made.parameters():
        parameter.data.normal_(1.0 if parameter.dim() == 1 else 0.0, 0.25)
    return made


# As DeepSeek-R1-Distill has it: the prompt ends with the opening tag, thoughts of earlier turns are dropped.
DEEPSEEK = (
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}"
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|User|>' + message['content'] }}{% endif %}"
    "{% if message['role'] == 'assistant' %}{% set content = message['content'] %}{% if '</think>' in content %}"
    "{% set content = content.split('</think>')[-1] %}{% endif %}{{ '<|Assistant|>' + content + '<|end|>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|Assistant|><think>\n' }}{% endif %}"
)
# As Qwen3 has it: the model writes the tag, unless thinking is switched off, which fills in an empty trace.
QWEN3 = (
    "{% for message in messages %}{% set content = message.content %}{% if message.role == 'assistant' and '</think>' in content %}"
    "{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "{{ '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
# As Qwen2 has it: a system message by default, nothing about thinking.
QWEN2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tokenizer(template: str, pad: bool = True) -> Any:
    """A tokenizer of single characters and the special tokens of the templates above."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<|end|>", "<|User|>", "<|Assistant|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<|begin|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*special, "<|pad|>", *letters])}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|end|>",
        bos_token="<|begin|>",
        clean_up_tokenization_spaces=False,
        additional_special_tokens=special[1:7],
        **({"pad_token": "<|pad|>"} if pad else {}),
    )
    fast.chat_template = template
    return fast


def trained(steps: int, learner: Learner | None = None) -> Learner:
    """A linear layer after `steps` updates, or `learner` after as many more."""
    if learner is None:
        torch.manual_seed(0)
        learner = Learner(torch.nn.Linear(3, 2), OptimiserSpec(learning_rate=0.1), Ranks())
    for _ in range(steps):
        loss = learner.policy(torch.ones(1, 3)).pow(2).sum()
        learner.backward(loss)
        learner.update(0.1, loss.item(), "test")
    return learner

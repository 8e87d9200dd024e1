"""A byte-level BPE trained on the world's own text, with its chat template.

One token a digit, so that arithmetic is on digits; combining marks stay with their letters, without which
Thai, Bengali and Telugu fall apart into bytes; a word takes the blank before it, and also the one before a digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

USER = "<|user|>"
ASSISTANT = "<|assistant|>"
THINK = "<think>"
END_THINK = "</think>"
END = "<|end|>"
PAD = "<|pad|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|user|>{{ message['content'] }}"
    "{% else %}<|assistant|><think>\n{{ message['content'] }}<|end|>{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
)
PIECES = r"\\boxed\{|\p{N}| ?[\p{L}\p{M}]+(?: (?=\p{N}))?|\n| ?[^\s\p{L}\p{M}\p{N}]+|\s+"


def train(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train on `texts`, which should hold each language in equal amounts."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[PAD, END, USER, ASSISTANT, THINK, END_THINK],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            max_token_length=30,
            show_progress=False,
        ),
    )
    constructor: Any = PreTrainedTokenizerFast  # its signature has no types
    fast: PreTrainedTokenizerFast = constructor(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[USER, ASSISTANT, THINK, END_THINK],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast

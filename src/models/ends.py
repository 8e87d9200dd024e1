"""The tokens that end a turn: as tokenizer, generation settings and chat template have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from src.models.template import ANSWER, QUESTION, Template, UnusableTemplate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_MARK = re.compile(r"\W.*\W", re.DOTALL)  # as <|im_end|>, </s> and [END], and not a word


def turn_end(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The special token that the chat template puts right after an assistant's content; None where it puts none there."""
    if getattr(tokenizer, "chat_template", None) is None:
        return None
    try:
        text = Template.of(tokenizer).render_turn(QUESTION, ANSWER)
    except UnusableTemplate:
        return None
    except Exception:  # a template that knows prompts alone
        return None
    _, content, after = text.rpartition(ANSWER)
    if not content:
        return None
    after = after.lstrip()
    for number, token in tokenizer.added_tokens_decoder.items():
        if after.startswith(token.content) and (token.special or _MARK.fullmatch(token.content)):
            first = tokenizer(after, add_special_tokens=False)["input_ids"][0]
            if first == number:
                return int(number)
    return None


def learned_end(tokenizer: PreTrainedTokenizerBase) -> int:
    """The end token that is taught: the chat template's, or the tokenizer's where the template has none."""
    end = turn_end(tokenizer)
    return int(tokenizer.eos_token_id) if end is None else end


def ends_of(tokenizer: PreTrainedTokenizerBase, model: Any) -> tuple[int, ...]:
    """Every token that ends a completion, ascending: the tokenizer's, the chat template's, and those of the model's own
    `generation_config.json` (Qwen3 has two)."""
    own = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ends = {int(tokenizer.eos_token_id), learned_end(tokenizer)}
    return tuple(sorted(ends | set([] if own is None else [own] if isinstance(own, int) else own)))


def note_ends(model: Any, tokenizer: PreTrainedTokenizerBase) -> None:
    """Have the generation settings of a policy name every token that ends a completion, so that programs that read the
    exported model stop where ours do."""
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    settings = getattr(model, "generation_config", None)
    if settings is None:
        return
    ends = ends_of(tokenizer, model)
    own = settings.eos_token_id
    if set(ends) != set([] if own is None else [own] if isinstance(own, int) else own):
        settings.eos_token_id = list(ends) if len(ends) > 1 else ends[0]

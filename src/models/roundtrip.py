"""Text must survive a tokenizer: what is lost, and the reading of its files in which nothing is."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from src.language.table import LANGUAGES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SAMPLES = tuple(f"{row.instruction} 12 + 5 = 17\n{row.instruction_choice}" for row in LANGUAGES.values())
_BLANKS = re.compile(r"[ \t]+")


def lost(tokenizer: PreTrainedTokenizerBase, text: str) -> str | None:
    """What becomes of `text` when it is turned into tokens and back, where it is another text; None where it survives.

    Blanks beside special tokens and how many of them follow each other do not count, nor forms of a character that are
    compatible (NFKC), which some tokenizers make one.
    """
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    back = str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))
    if back == text:
        return None
    special = sorted((token.content for token in tokenizer.added_tokens_decoder.values()), key=len, reverse=True)
    between = re.compile("|".join(map(re.escape, filter(str.strip, special))) or r"(?!)")
    one, two = (_pieces(between, side) for side in (text, back))
    for said, came in zip(one, two, strict=False):
        if said != came:
            return _difference(said, came)
    return None if len(one) == len(two) else _difference(text, back)


def surviving(tokenizer: PreTrainedTokenizerBase) -> int:
    """How many of `SAMPLES`, a text a language, survive."""
    return sum(lost(tokenizer, text) is None for text in SAMPLES)


def faithful(tokenizer: PreTrainedTokenizerBase, path: str) -> PreTrainedTokenizerBase:
    """`tokenizer`, or, where more of `SAMPLES` survive it, what `tokenizer.json` at `path` says as it stands: transformers
    builds some classes anew, such as that of Llama over a byte-level file, and these drop blanks and whole scripts."""
    kept = surviving(tokenizer)
    if kept == len(SAMPLES):
        return tokenizer
    from transformers import PreTrainedTokenizerFast

    try:
        plain: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(path)
    except (OSError, ValueError):  # it has no such file
        return tokenizer
    if surviving(plain) <= kept:
        return tokenizer
    if plain.chat_template is None:
        plain.chat_template = tokenizer.chat_template
    if plain.eos_token is None:
        plain.eos_token = tokenizer.eos_token
    return plain


def _pieces(between: re.Pattern[str], text: str) -> list[str]:
    return [_BLANKS.sub(" ", unicodedata.normalize("NFKC", piece)).strip() for piece in between.split(text)]


def _difference(said: str, came: str) -> str:
    place = next((i for i, (a, b) in enumerate(zip(said, came, strict=False)) if a != b), min(len(said), len(came)))
    start = max(0, place - 20)
    return f"{said[start : start + 50]!r} comes back as {came[start : start + 50]!r}"

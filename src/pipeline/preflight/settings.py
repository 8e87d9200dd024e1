"""What a model's `config.json` says that a run must know: its sizes, its code, whether the tokenizer fits it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.errors import UserError
from src.models.spec import ModelSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def read(path: str, spec: ModelSpec) -> Any:
    """The configuration of the model at `path`.

    Raises:
        UserError: it holds code of its own, which the run does not allow.
    """
    from transformers import AutoConfig

    from src.models.folder import existing

    place = existing(path)
    try:
        return AutoConfig.from_pretrained(place, trust_remote_code=spec.trust_remote_code)
    except ValueError as error:
        if spec.trust_remote_code or "trust_remote_code" not in str(error):
            raise
        raise UserError(
            f"{path}: this model comes with code of its own, which runs only where it is trusted. Read it, then give "
            "model.trust_remote_code=true"
        ) from None


def misfits(tokenizer: PreTrainedTokenizerBase, settings: Any, path: str) -> list[str]:
    """Whether the tokenizer has tokens that the model has no row for. The pad token is not used, and of added tokens those
    count that end a turn; others are looked for in the prompts."""
    from src.models.ends import turn_end

    rows = rows_of(settings)
    if rows is None or len(tokenizer) <= rows:
        return []
    ends = (tokenizer.eos_token_id, turn_end(tokenizer))
    added = set(tokenizer.added_tokens_decoder) - set(ends)
    beyond = sorted(number for number in tokenizer.get_vocab().values() if number >= rows and number not in added)
    return [too_large(tokenizer, rows, beyond[0], path)] if beyond else []


def too_large(tokenizer: PreTrainedTokenizerBase, rows: int, token: int, path: str) -> str:
    """The sentence about a token without a row."""
    return (
        f"the tokenizer must fit the model; that of {path} has {len(tokenizer):,} tokens, the model has {rows:,} rows, and "
        f"{tokenizer.convert_ids_to_tokens(token)!r} (token {token:,}) has none. Use the tokenizer that belongs to the model, "
        "or give the model more rows (resize_token_embeddings)"
    )


def rows_of(settings: Any) -> int | None:
    """The rows of the embedding."""
    rows = getattr(settings.get_text_config(), "vocab_size", None)
    return None if rows is None else int(rows)


def weight_bytes(path: str) -> int | None:
    """The size of the weights in a folder; None of a hub name."""
    folder = Path(path)
    if not folder.is_dir():
        return None
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))

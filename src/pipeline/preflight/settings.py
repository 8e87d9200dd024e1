"""What a model's `config.json` says that a run must know: whether it can be trained and saved, its sizes, its context."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.errors import UserError
from src.models.spec import ModelSpec
from src.store.results import ADAPTER

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DEQUANTISED = ("fp8", "mxfp4")  # transformers loads these as plain weights where they cannot be used as they are


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


def problems(settings: Any, path: str) -> list[str]:
    """What of the configuration keeps the model from being trained and saved."""
    if (Path(path) / ADAPTER).is_file():
        return [
            f"model.path must be a whole model; {path} holds adapters beside one ({ADAPTER}). Merge them into it first "
            "(+experiment=merge), or take them out of the folder"
        ]
    quantised = getattr(settings, "quantization_config", None)
    if quantised is None:
        return []
    method = quantised.get("quant_method") if isinstance(quantised, dict) else getattr(quantised, "quant_method", None)
    name = str(getattr(method, "value", method) or "unknown")
    if name in DEQUANTISED:
        return []
    return [
        f"model.path must hold plain weights, which are trained, handed to the sampler and saved; those of {path} are "
        f"quantised ({name}). Give the model that it was made from"
    ]


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


def context_of(settings: Any) -> int | None:
    """The longest sequence that the model was made for, with the stretching of its rotations; None where it has no limit."""
    text = settings.get_text_config()
    lengths = [getattr(text, name, None) for name in ("max_position_embeddings", "n_positions", "max_seq_len")]
    for rotation in _rotations(text):
        factor, first = rotation.get("factor"), rotation.get("original_max_position_embeddings")
        if factor and first:
            lengths.append(int(factor * first))
    known = [length for length in lengths if isinstance(length, int) and length > 0]
    return max(known) if known else None


def _rotations(text: Any) -> Iterator[dict[str, Any]]:
    """Settings of rotary positions, one for all layers or one for each of their types."""
    for name in ("rope_scaling", "rope_parameters"):
        value = getattr(text, name, None)
        if isinstance(value, dict):
            yield value
            yield from (inner for inner in value.values() if isinstance(inner, dict))


def weight_bytes(path: str) -> int | None:
    """The size of the weights in a folder; None of a hub name."""
    folder = Path(path)
    if not folder.is_dir():
        return None
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))

"""Whether models can be merged: the same tensors, settings and tokenizer. Headers and small files are read, no weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.models.merge.base import BadMerge, Rule
from src.models.merge.checkpoint import FLOATS, Model

# What `config.json` may say differently of models that compute the same way.
FREE = {
    *(
        "_name_or_path",
        "architectures",
        "dtype",
        "torch_dtype",
        "transformers_version",
        "use_cache",
        "_attn_implementation",
    ),
    *("bos_token_id", "eos_token_id", "pad_token_id", "attention_dropout", "initializer_range", "attn_implementation"),
}
SHOWN = 3
TOKENIZER = "tokenizer.json"
OLD_TOKENIZERS = ("vocab.json", "merges.txt", "tokenizer.model", "vocab.txt")
SETTINGS = "tokenizer_config.json"


def check_alike(rule: Rule, models: Sequence[Model], base: Model | None) -> None:
    """Raise `BadMerge`, with every broken rule, unless `rule` can merge the models."""
    every = [*models, *([base] if base is not None else [])]
    first = every[0]
    violations = [line for other in every[1:] for line in _differences(first, other)]
    violations += [
        f"{model.folder}: tensors to merge must be floating-point numbers; {name} is {entry.dtype}. Merge the models before "
        "they are quantised"
        for model in every
        for name, entry in list(model.entries.items())
        if entry.dtype not in FLOATS and _is_weight(name)
    ][:SHOWN]
    violations += rule.misfits(first.layers)
    if violations:
        listed = "\n".join(f"  - {line}" for line in dict.fromkeys(violations))
        raise BadMerge(f"these models cannot be merged:\n{listed}")


def _is_weight(name: str) -> bool:
    return name.endswith((".weight", ".bias"))


def _differences(first: Model, other: Model) -> list[str]:
    """What keeps `other` from being merged with `first`."""
    pair = f"{first.folder} and {other.folder}"
    settings = _unequal(_settings(first.config), _settings(other.config))
    violations = [
        f"config.json of models to merge must agree on {key}; {pair} have {a!r} and {b!r}. Merge models of one base"
        for key, a, b in settings[:SHOWN]
    ]
    if names := sorted(first.entries.keys() ^ other.entries.keys()):
        shown = ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
        return [
            *violations,
            f"models to merge must have the same tensors; {pair} differ in {shown}. Merge models of one base",
        ]
    for what, fix in (("shape", "Merge models of one base"), ("dtype", "Save all in one dtype")):
        unequal = [
            (name, getattr(entry, what), getattr(other.entries[name], what))
            for name, entry in first.entries.items()
            if getattr(entry, what) != getattr(other.entries[name], what)
        ]
        violations += [
            f"tensors to merge must have the same {what}; {name} is {a} in {first.folder} and {b} in {other.folder}. {fix}"
            for name, a, b in unequal[:1]
        ]
    return violations + _tokenizer_differences(first.folder, other.folder)


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in FREE}


def _unequal(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Keys with two values; what only one side has is a default that newer versions write."""
    return [(key, a[key], b[key]) for key in sorted(a.keys() & b.keys()) if a[key] != b[key]]


def _tokenizer_differences(first: Path, other: Path) -> list[str]:
    one, two = tokenizer_of(first), tokenizer_of(other)
    keys = [key for key in one.keys() & two.keys() if one[key] != two[key]]
    if not keys:
        return []
    return [
        f"models to merge must have the same tokenizer; those of {first} and {other} differ in {', '.join(sorted(keys))}. "
        "Merge models whose tokens mean the same"
    ]


def tokenizer_of(folder: Path) -> dict[str, Any]:
    """What makes text into numbers, and what ends a completion; without what a folder does not tell."""
    settings = _read(folder / SETTINGS) if (folder / SETTINGS).is_file() else {}
    end = settings.get("eos_token")
    parts: dict[str, Any] = {"eos_token": end.get("content") if isinstance(end, dict) else end} if end else {}
    if (folder / TOKENIZER).is_file():
        content = _read(folder / TOKENIZER)
        model = content.get("model") or {}
        # Merges are pairs in newer files, and texts with a blank in older ones.
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model.get("merges") or []]
        added = [(token.get("id"), token.get("content")) for token in content.get("added_tokens") or []]
        return parts | {"vocabulary": model.get("vocab"), "merges": merges, "added tokens": added}
    files = (folder / name for name in OLD_TOKENIZERS)
    return parts | {path.name: path.read_bytes() for path in files if path.is_file()}


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise BadMerge(f"{path}: must be JSON that can be read; got {error}") from None

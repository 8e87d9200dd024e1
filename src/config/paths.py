"""Paths as people write them: `~`, other alphabets, blanks, `=` and commas, on a command line and in a configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

# Settings that name files or folders, or may; the last ones are lists of names.
PATHS = (
    *(
        "root",
        "data.sft",
        "data.validation",
        "data.prompts",
        "data.samples",
        "model.path",
        "model.chat_template",
        "merge.base",
    ),
    *("benchmark.path", "benchmark.completions", "benchmark.questions_file", "benchmark.tokenizer"),
    "services.references",
    *("rollout.script", "rollout.vllm.shared_folder", "strategy.routes"),
    *("merge.models", "traces.questions", "prompts.sources", "prompts.against"),
)
_WORD = re.compile(r"(?!(?:null|true|false|inf|nan)$)[a-z]\w*", re.ASCII | re.IGNORECASE)  # and 1e5 is none
_PLAIN = re.compile(r"[\w./:%+@-]+", re.ASCII)  # what Hydra reads as it is


def expanded(text: str) -> str:
    """`~` as the home folder, at the beginning or, as in `mgsm=~/data`, after the `=`."""
    if text.startswith("~"):
        return os.path.expanduser(text)
    name, equals, place = text.partition("=")
    return f"{name}={os.path.expanduser(place)}" if equals and place.startswith("~") else text


def expand_paths(node: DictConfig) -> None:
    """Expand `~` in every setting that names a path."""
    for key in PATHS:
        value = OmegaConf.select(node, key, throw_on_missing=False)
        new = _each(value, expanded)
        if new != value:
            OmegaConf.update(node, key, new)


def place(value: Any) -> Any:
    """One spelling of a path: no `./`, no `//`, no `/` at the end, and relative where it is below the working folder."""
    return _each(value, _place)


def user_path(text: str) -> Path:
    """A path of a command's option."""
    return Path(expanded(text))


def written(key: str, value: str | Path) -> str:
    """An override that Hydra reads as the text `value`, whatever is in it."""
    text = str(value)
    plain = _PLAIN.fullmatch(text) and ("/" in text or _WORD.fullmatch(text))
    return f"{key}={text if plain else _quoted(text)}"


def readable(override: str, several: bool = False) -> str:
    """An override as it was typed, as one that Hydra can read: what its grammar has no place for goes into quotes. `several`:
    commas separate the values of a sweep."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    key, equals, value = override.partition("=")
    if not equals or not value or override.startswith(("-", "~")) or _PLAIN.fullmatch(value):
        return override
    parser = OverridesParser.create()
    try:
        parsed = parser.parse_override(override)
        if several or not parsed.is_sweep_override() or key.lstrip("+") not in PATHS:
            return override
    except HydraException:
        pass
    for candidate in _candidates(value, several):
        try:
            parser.parse_override(f"{key}={candidate}")
        except HydraException:
            continue
        return f"{key}={candidate}"
    return override


def _candidates(value: str, several: bool) -> list[str]:
    """What a value may have been meant as: a list or a sweep of texts, or one text."""
    if value[0] in "[{\"'" or "${" in value:
        inner = value[1:-1]
        simple = value[0] + value[-1] == "[]" and not set(inner) & set("[]{}\"'")
        return [f"[{','.join(map(_text, inner.split(',')))}]"] if simple else []
    return [",".join(map(_text, value.split(",")))] if several else [_quoted(value)]


def _text(value: str) -> str:
    value = value.strip()
    return value if _PLAIN.fullmatch(value) else _quoted(value)


def _quoted(text: str) -> str:
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', text)  # a backslash is one unless quotes follow it
    escaped = re.sub(r"(\\+)$", r"\1\1", escaped)
    return f'"{escaped}"'


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple) or OmegaConf.is_list(value):
        return [change(item) if isinstance(item, str) else item for item in value]
    return value


def _place(text: str) -> str:
    text = expanded(text)
    if "=" in text and not text.startswith(("/", ".")):
        return text
    short = os.path.normpath(text) if text else text
    here = os.getcwd()
    return os.path.relpath(short, here) if short.startswith(here + os.sep) else short

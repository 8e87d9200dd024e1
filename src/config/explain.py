"""What went wrong while Hydra composed the configuration, in one message that names the nearest valid key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hydra.errors import OverrideParseException
from omegaconf import Container, OmegaConf
from omegaconf.errors import ValidationError

from src.common.errors import nearest
from src.common.registry import choices


def explain(error: BaseException) -> str:
    """The message for a composition error: the key or value at fault, and what would be valid there."""
    for cause in _chain(error):
        text = str(cause).split("\n")[0]
        parent = getattr(cause, "parent_node", None)
        unknown = re.search(r"Key '([^']+)' (?:is not in struct|not in)", text)
        if unknown:
            name = unknown[1]
            full = getattr(cause, "full_key", None) or name
            return f"unknown key {full!r}. {nearest(name, _keys(parent, getattr(cause, 'object_type', None)))}"
        missing = re.search(r"Could not find '([^']+?)/([^'/]+)'", text)
        if missing:
            return f"{missing[1]} has no choice {missing[2]!r}. {nearest(missing[2], choices(missing[1]))}"
        full = getattr(cause, "full_key", None)
        if full and isinstance(cause, ValidationError):
            return f"{full}: {text}"
    text = re.sub(r"\n\s*set HYDRA_FULL_ERROR.*", "", str(error), flags=re.DOTALL)
    if isinstance(error, OverrideParseException) and error.override.count("=") > 1:
        text += "\nA text that holds a = goes into double quotes, and all of it into single ones: 'key=[\"a=b\"]'"
    return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, innermost first: that one knows the key."""
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or error.__context__
    yield from reversed(chain)


def _keys(parent: object, object_type: object) -> list[str]:
    if isinstance(parent, Container) and not OmegaConf.is_list(parent):
        return [str(key) for key in parent]
    return sorted(getattr(object_type, "__dataclass_fields__", {}))

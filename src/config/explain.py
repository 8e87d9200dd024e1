"""What went wrong while Hydra composed the configuration, in one message that names the nearest valid key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hydra.errors import OverrideParseException
from omegaconf import Container, DictConfig, OmegaConf
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
            if elsewhere := _of_that_name(parent, full):
                return f"unknown key {full!r}. Did you mean {' or '.join(elsewhere)}?"
            return f"unknown key {full!r}. {nearest(name, _keys(parent, getattr(cause, 'object_type', None)))}"
        missing = re.search(r"Could not find '([^']+?)/([^'/]+)'", text)
        if missing:
            return f"{missing[1]} has no choice {missing[2]!r}. {nearest(missing[2], choices(missing[1]))}"
        full = getattr(cause, "full_key", None)
        if full and isinstance(cause, ValidationError):
            return _of_wrong_type(full, text, _given(error))
    text = re.sub(r"\n\s*set HYDRA_FULL_ERROR.*", "", str(error), flags=re.DOTALL)
    if isinstance(error, OverrideParseException):
        key, equals, value = error.override.partition("=")
        if not equals:
            return f"settings are given as key=value; got {error.override!r}"
        wish = '["a=b"]' if value.startswith("[") else '"a=b"'
        text = (
            f"{error.override} cannot be read. A text that holds a = or other signs goes into double quotes, and all of it into "
            f"single ones: '{key}={wish}'"
        )
    return text


def _of_wrong_type(key: str, text: str, given: str | None) -> str:
    """The message for a value of a type that a setting does not take."""
    if "is not a ListConfig" in text:
        return f"{key} is a list: write {key}=[{'...' if given is None else given}]"
    if text.startswith("Invalid type assigned"):
        return f"{key} is a group of settings: give one of them, {key}.<name>=<value>"
    return f"{key}: {text}"


def _given(error: BaseException) -> str | None:
    """The value of the override that Hydra could not merge."""
    match = re.match(r"Error merging override [^=]+=(.*)", str(error))
    return match[1] if match else None


def _of_that_name(parent: object, key: str) -> list[str]:
    """Settings anywhere whose last name is that of `key`: those below the group that `key` names, or else all."""
    if not isinstance(parent, Container):
        return []
    group, _, name = key.rpartition(".")
    every = [other for other in _every_key(parent._get_root()) if other.rpartition(".")[2] == name]
    return [other for other in every if other.startswith(f"{group}.")] or every


def _every_key(node: object, prefix: str = "") -> Iterator[str]:
    if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
        for name in map(str, node):
            yield f"{prefix}{name}"
            if name != "hydra":
                yield from _every_key(node._get_node(name), f"{prefix}{name}.")


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

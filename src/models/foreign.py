"""What transformers, peft and the hub raise while a model is read, in one sentence that names our settings."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from src.common.errors import UserError, did_you_mean

NOT_REACHED = (
    "it is no folder here and not in the cache of the hub, and the hub cannot be reached. Check model.path for a mistake, or "
    "the network"
)
# What stands in an error, and what it means for a user; the first that fits.
MEANINGS = (
    (
        r"couldn't connect|ConnectionError|ConnectError|LocalEntryNotFound|offline mode|OfflineMode|Max retries",
        NOT_REACHED,
    ),
    (r"gated repo|GatedRepo|401 Client|403 Client", "the hub asks for a login that may read it: hf auth login"),
    (
        r"not a valid model identifier|RepositoryNotFound|404 Client|Repo id must|HFValidationError",
        "it is no folder here, and the hub has no such model. Check model.path",
    ),
    (r"trust_remote_code", "it comes with code of its own. If you trust that, model.trust_remote_code=true"),
    (
        r"attn_implementation|scaled_dot_product|does not support an attention",
        "it needs another model.attention, such as eager",
    ),
    (
        r"model type `?\w+`? but Transformers does not recognize|KeyError: '\w+'$",
        "this version of transformers does not know it",
    ),
    (
        r"no file named model\.safetensors|use_safetensors",
        "its weights must be safetensors files (model.safetensors); there are none. Convert them, or take another revision",
    ),
    (
        r"SafetensorError|HeaderTooLarge|incomplete metadata|InvalidHeader",
        "its weights are damaged. Copy or fetch them again",
    ),
    (r"size mismatch|ignore_mismatched_sizes", "its weights are not those of its config.json"),
)


class ModelNotFound(UserError):
    """There is no loadable model at a path; the message says what was looked for and what to do."""


class CannotRun(UserError):
    """A setting of `model.*` asks for what this machine, or this model, cannot do."""


@contextmanager
def explained(path: str | Path) -> Iterator[None]:
    """Around what reads the model at `path`: whatever goes wrong in a library is one sentence.

    Raises:
        CannotRun: a package is missing.
        ModelNotFound: anything else.
    """
    try:
        yield
    except (UserError, KeyboardInterrupt, MemoryError):
        raise
    except ImportError as error:
        raise CannotRun(f"{path}: reading this model needs a package that is not installed: {_line(error)}") from error
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        meaning = next((meaning for pattern, meaning in MEANINGS if re.search(pattern, text)), None)
        raise ModelNotFound(f"{path}: {meaning or f'this model cannot be read: {_line(error)}'}") from error


def check_hub(name: str) -> None:
    """Raise `ModelNotFound` where a hub name must be fetched and the hub cannot be reached: at once, as the hub's own client
    tries for a minute."""
    from huggingface_hub import constants, try_to_load_from_cache

    if constants.HF_HUB_OFFLINE or getproxies() or isinstance(try_to_load_from_cache(name, "config.json"), str):
        return
    address = urlsplit(constants.ENDPOINT)
    try:
        socket.create_connection((address.hostname or "", address.port or 443), timeout=10).close()
    except OSError as error:
        raise ModelNotFound(f"{name}: {NOT_REACHED} ({address.hostname}: {error.strerror or error})") from None


def near(folder: Path) -> str:
    """Of a folder that is not there, a hint at what is where it should be; empty where its parent is no folder either."""
    if str(folder.parent) == "." or not folder.parent.is_dir():
        return ""
    names = sorted(path.name for path in folder.parent.iterdir() if path.is_dir() and not path.name.startswith("."))
    hint = did_you_mean(folder.name, names)
    return hint or f" {folder.parent} is a folder here, with {', '.join(names[:5]) or 'no folder in it'}."


def _line(error: BaseException) -> str:
    """The first line of an error that says something, with its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]:.300}" if lines else type(error).__name__

"""One file of a repository at one commit, downloaded once and kept."""

from __future__ import annotations

import os
import urllib.parse
import urllib.request
from pathlib import Path

from src.data.readers import BadData

GITHUB = "https://raw.githubusercontent.com/{name}/{revision}/{file}"
SECONDS = 60  # time limit of one silence of the server


def fetch(source: str, revision: str, file: str) -> Path:
    """The local copy of `file` in `source` (`github:owner/name` or `hub:owner/name`) at the commit `revision`.

    The hub's files are kept where huggingface_hub keeps them, GitHub's under `$ADAMAME_CACHE` (`~/.cache/adamame`).
    A gated data set of the hub needs `HF_TOKEN`.

    Raises:
        BadData: it cannot be downloaded; the message names what was asked for and what to do.
    """
    kind, _, name = source.partition(":")
    try:
        return _hub(name, revision, file) if kind == "hub" else _github(name, revision, file)
    except (OSError, ValueError) as error:  # what urllib and huggingface_hub raise are kinds of these
        gated = "; a gated data set needs HF_TOKEN and its terms accepted" if kind == "hub" else ""
        raise BadData(
            f"{file} of {source} at {revision} could not be downloaded ({error}). Without a network, put the file "
            f"into a folder of its own and set benchmark.path to that folder{gated}"
        ) from None


def _hub(name: str, revision: str, file: str) -> Path:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(name, file, repo_type="dataset", revision=revision))


def _github(name: str, revision: str, file: str) -> Path:
    root = Path(os.environ.get("ADAMAME_CACHE") or Path.home() / ".cache" / "adamame")
    cached = root / name / revision / file
    if not cached.is_file():
        address = GITHUB.format(name=name, revision=revision, file=urllib.parse.quote(file))
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            content = answer.read()
        cached.parent.mkdir(parents=True, exist_ok=True)
        part = cached.with_name(f"{cached.name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(cached)
    return cached

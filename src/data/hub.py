"""Data by its name in a repository, at a commit: a file of it, or a split of a data set of the Hugging Face hub.

hub:owner/name@<commit>/data/train.parquet      a file (github:... as well), fetched once
hub:owner/name@<commit>                         the split `train`, read with the library `datasets`
hub:owner/name@<commit>/<split>                 another split
hub:owner/name@<commit>/<configuration>/<split>
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from src.data.fetch import fetch
from src.data.readers import ENDINGS, BadData, Rows, ending_of, rows_of

_REMOTE = re.compile(r"((?:hub|github):[^@/]+/[^@/]+)@([0-9a-f]{40})(?:/(.+))?")


def is_remote(name: str) -> bool:
    """Whether a name is a place in a repository and not a file here."""
    return name.startswith(("hub:", "github:"))


def place_of(name: str) -> tuple[str, str, str]:
    """(source, commit, path within) of a place in a repository.

    Raises:
        BadData: it is not written as one.
    """
    match = _REMOTE.fullmatch(name)
    if match is None:
        raise BadData(
            f"{name}: a place in a repository must be hub:<owner>/<name>@<commit>[/<path>], or github:..., with the full "
            "commit hash, so that the data cannot change"
        )
    return match[1], match[2], match[3] or ""


def named_rows(name: str) -> Rows:
    """(where, row) of every row of a local file, or of a place in a repository.

    Raises:
        BadData: it is not there, cannot be read, or needs a library that is not installed.
    """
    if not is_remote(name):
        if not Path(name).is_file():
            hint = ""
            if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not ending_of(Path(name)):
                hint = f"; a data set of the hub is hub:{name}@<commit>"
            raise BadData(f"{name}: no such file. A data file must exist; check the path in data.*{hint}")
        return rows_of(Path(name))
    source, commit, path = place_of(name)
    if ending_of(Path(path)) in ENDINGS:
        return rows_of(fetch(source, commit, path))
    return _split_rows(name, source, commit, path)


def _split_rows(name: str, source: str, commit: str, path: str) -> Rows:
    kind, _, repository = source.partition(":")
    parts = path.split("/") if path else ["train"]
    if kind != "hub" or len(parts) > 2:
        raise BadData(
            f"{name}: must name a file that ends in {', '.join(ENDINGS)}, or of a data set of the hub [<configuration>/]<split>"
        )
    try:
        import datasets  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise BadData(
            f"{name}: a split of a data set of the hub is read with the library datasets, which is not installed. Install it "
            f"(pip install datasets), or name a file of the data set: {source}@{commit}/<path to a .parquet or .jsonl file>"
        ) from None
    try:
        content: Any = datasets.load_dataset(
            repository, parts[0] if len(parts) == 2 else None, split=parts[-1], revision=commit
        )
    except Exception as error:
        said = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise BadData(
            f"{name}: cannot be read ({type(error).__name__}: {said}). Check name, split and network"
        ) from None
    return ((f"{name}, row {number}", dict(row)) for number, row in enumerate(content, start=1))

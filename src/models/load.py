"""Loading and saving transformers models: safetensors only, no remote code unless the run asks for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from src.errors import UserError
from src.models.spec import LoraSpec, ModelSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class ModelNotFound(UserError):
    """There is no loadable model at a path; the message says what was looked for and what to do."""


def load_tokenizer(path: str | Path, spec: ModelSpec) -> PreTrainedTokenizerBase:
    """The tokenizer beside a model; it must have a chat template and an end token."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(_existing(path), trust_remote_code=spec.trust_remote_code)
    if tokenizer.chat_template is None:
        raise ModelNotFound(f"{path}: the tokenizer has no chat template, so a question cannot be put to the model")
    if tokenizer.eos_token_id is None:
        raise ModelNotFound(f"{path}: the tokenizer has no end-of-sequence token, so no completion could end")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(path: str | Path, spec: ModelSpec) -> PreTrainedModel:
    """The model at `path` in the dtype of `spec`, in evaluation mode."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # a flicker on the models of this project, and noise in logs
    model = AutoModelForCausalLM.from_pretrained(
        _existing(path),
        dtype=getattr(torch, spec.dtype),
        attn_implementation=spec.attention,
        trust_remote_code=spec.trust_remote_code,
        use_safetensors=True,
    )
    if spec.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model.eval()


def add_lora(model: PreTrainedModel, spec: LoraSpec) -> Any:
    """`model` with adapters on all linear layers, only they trainable; the model itself when `rank` is 0."""
    if spec.rank == 0:
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=spec.rank, lora_alpha=spec.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config).eval()


def policy_weights(model: Any) -> dict[str, torch.Tensor]:
    """Name -> weight of the plain model, adapters folded in (base + alpha / rank * B A); nothing is changed.

    peft's own merge and unmerge would leave rounding in the base weights, and a resumed run would then differ.
    """
    deltas = {
        name: module.get_delta_weight("default")
        for name, module in model.named_modules()
        if hasattr(module, "get_delta_weight") and getattr(module, "lora_A", None)
    }
    weights = {}
    for name, tensor in model.state_dict().items():
        if ".lora_" in name:
            continue
        owner = name.rsplit(".base_layer.", 1)[0]
        if name.endswith(".base_layer.weight") and owner in deltas:
            tensor = tensor + deltas[owner].to(tensor.dtype)
        weights[name.removeprefix("base_model.model.").replace(".base_layer.", ".")] = tensor.detach()
    return weights


def save_model(
    model: Any, tokenizer: PreTrainedTokenizerBase, directory: Path, notes: Mapping[str, Any] | None = None
) -> None:
    """Write a transformers folder (safetensors) to `directory`, all of it or nothing; adapters are folded in."""
    import json

    temporary = directory.with_name(directory.name + ".partial")
    shutil.rmtree(temporary, ignore_errors=True)
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    weights = policy_weights(model)
    if plain.config.tie_word_embeddings:
        weights.pop("lm_head.weight", None)
    weights = {name: tensor.contiguous() for name, tensor in weights.items()}
    plain.config.architectures = [type(plain).__name__]  # what other programs load it as
    plain.config.save_pretrained(temporary)
    if plain.generation_config is not None:
        plain.generation_config.save_pretrained(temporary)
    from safetensors.torch import save_file

    save_file(weights, temporary / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save_pretrained(temporary)
    if notes is not None:
        (temporary / "made_by.json").write_text(json.dumps(notes, indent=2) + "\n")
    shutil.rmtree(directory, ignore_errors=True)
    os.replace(temporary, directory)


def _existing(path: str | Path) -> str:
    """A folder that holds a model, or a hub name; a path-like name that is not there is an error of ours."""
    text = str(path)
    folder = Path(text)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelNotFound(f"{text}: a model folder must hold config.json; this one does not")
    elif folder.is_absolute() or text.startswith(".") or text.count("/") > 1:
        raise ModelNotFound(f"{text}: no such model folder. Check model.path, or run the stage that makes it")
    return text

"""Writing a policy as a transformers folder, and holding it to what was trained.

A folder is accepted only when the model it loads as gives the logits of the policy. Of a policy with adapters, how much
they change the logits is the measure: a merge that loses half of them is off by about half of that.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from src.common.errors import UserError
from src.common.files import open_to_others
from src.models.load import plain_model, policy_weights, reference

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHARD = "5GB"  # of weights in one file, as transformers has it
PROBE_ROWS = 2
PROBE_TOKENS = 24
# How far logits may be off by rounding alone, as a share of their size; else by a share of what the adapters change.
ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 3e-2}
SHARE_OF_CHANGE = 0.1


class BadExport(UserError):
    """A saved model does not compute what was trained."""


def save_model(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    directory: Path,
    notes: Mapping[str, Any] | None = None,
    write: bool = True,
) -> None:
    """Write a transformers folder (safetensors, in shards when it is large) to `directory`, all of it or nothing;
    adapters are folded in. Of several ranks all call, and one has `write`: weights may be split over them.

    Raises:
        BadExport: the written model's logits are not those of `model`.
    """
    temporary = directory.with_name(directory.name + ".partial")
    plain = plain_model(model)
    weights = policy_weights(model)
    tensors = {}
    for name in weights:
        value = weights[name]  # every rank, for it may have to be gathered
        if write and not (plain.config.tie_word_embeddings and name == "lm_head.weight"):
            tensors[name] = value.cpu()
    if write:
        shutil.rmtree(temporary, ignore_errors=True)
        plain.config.architectures = [type(plain).__name__]  # what other programs load it as
        plain.config.save_pretrained(temporary)
        if plain.generation_config is not None:
            plain.generation_config.save_pretrained(temporary)
        write_weights(tensors, temporary)
        tokenizer.save_pretrained(temporary)
        if notes is not None:
            (temporary / "made_by.json").write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    check_export(model, temporary, write)
    if write:
        shutil.rmtree(directory, ignore_errors=True)
        os.replace(temporary, directory)


def write_weights(weights: Mapping[str, Tensor], folder: Path, shard: str | int = SHARD) -> None:
    """`model.safetensors`, or shards of at most `shard` bytes with their index, as transformers reads them."""
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors.torch import save_file

    plan = split_torch_state_dict_into_shards(
        dict(weights), filename_pattern="model{suffix}.safetensors", max_shard_size=shard
    )
    for file, names in plan.filename_to_tensors.items():
        part = {name: weights[name].contiguous() for name in weights if name in set(names)}
        save_file(part, folder / file, metadata={"format": "pt"})
        open_to_others(folder / file)
    if plan.is_sharded:
        index = {"metadata": plan.metadata, "weight_map": plan.tensor_to_filename}
        (folder / "model.safetensors.index.json").write_text(
            json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )


@torch.no_grad()
def check_export(model: Any, folder: Path, check: bool = True) -> None:
    """Raise `BadExport` unless the model in `folder` gives the logits of `model` on a probe batch.

    With |x| the root mean square over the probe, |exported - trained| must be at most the larger of a tenth of
    |trained - adapters off| and rounding (1e-4 of |trained| in float32, 3e-2 in bfloat16). Of several ranks all call,
    and one has `check`.
    """
    from transformers import AutoModelForCausalLM

    plain = plain_model(model)
    trained = probe(model)
    change = 0.0
    if hasattr(model, "disable_adapter"):
        with reference(model, None) as base:
            change = size(trained - probe(base))
    if not check:
        return
    exported = AutoModelForCausalLM.from_pretrained(
        folder, dtype=plain.dtype, attn_implementation=plain.config._attn_implementation, use_safetensors=True
    )
    off = size(probe(exported.to(plain.device).eval()) - trained)
    allowed = max(SHARE_OF_CHANGE * change, ROUNDING.get(plain.dtype, 0.0) * size(trained))
    if not off <= allowed:
        raise BadExport(
            f"{folder}: the exported model must compute what was trained; on a probe batch its logits differ by {off:.3g} "
            f"(root mean square) where {allowed:.3g} is allowed and the adapters change them by {change:.3g}. The "
            "checkpoints are good; the merge in src/models/load.py is not"
        )


def probe(model: Any) -> Tensor:
    """Logits [rows, tokens, V] in float32 on tokens that depend on the size of the vocabulary alone."""
    plain = plain_model(model)
    count = PROBE_ROWS * PROBE_TOKENS
    tokens = torch.arange(1, count + 1, device=plain.device) * 7919 % plain.config.vocab_size
    logits: Tensor = plain(input_ids=tokens.view(PROBE_ROWS, PROBE_TOKENS), use_cache=False).logits
    return logits.float()


def size(values: Tensor) -> float:
    """Root mean square."""
    return float(values.square().mean().sqrt())

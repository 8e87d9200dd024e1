"""Writing a policy as a transformers folder, and holding it to what was trained.

A folder is accepted only when the model it loads as gives the logits of the policy, in float32 where memory has room for
that, so that rounding decides nothing. Of a policy with adapters, how much they change the logits is the measure: a merge that
loses half of them is off by about half of that.
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
from src.models.compatible import for_other_versions
from src.models.load import misfits, plain_model, policy_weights, reference
from src.models.names import in_files, untied
from src.models.precision import in_float32

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHARD = "5GB"  # of weights in one file, as transformers has it
GENERATION_CONFIG = "generation_config.json"
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
    adapters are folded in, and weights have the names of the file that the model was read from. Of several ranks all call,
    and one has `write`: weights may be split over them.

    Raises:
        BadExport: the written model's logits are not those of `model`.
    """
    temporary = directory.with_name(directory.name + ".partial")
    plain = plain_model(model)
    weights = policy_weights(model)
    tensors = {}
    for name in untied(weights, weights.held):
        value = weights[name]  # every rank, for it may have to be gathered
        if write:
            tensors[name] = value.cpu()
    if write:
        shutil.rmtree(temporary, ignore_errors=True)
        plain.config.architectures = [type(plain).__name__]  # what other programs load it as
        plain.config.save_pretrained(temporary)
        if has_own_code(plain):
            from transformers.dynamic_module_utils import custom_object_save

            custom_object_save(plain, temporary, config=plain.config)
        write_generation(plain, tokenizer, temporary)
        write_weights(dict(in_files(plain, tensors)), temporary)
        del tensors
        tokenizer.save_pretrained(temporary)
        for_other_versions(temporary)
        if notes is not None:
            (temporary / "made_by.json").write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    check_export(model, temporary, write)
    if write:
        shutil.rmtree(directory, ignore_errors=True)
        os.replace(temporary, directory)


def has_own_code(plain: Any) -> bool:
    """Whether the model is computed by Python files of its own folder."""
    return bool(plain.is_remote_code())


def write_generation(plain: Any, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """`generation_config.json` as the model has it, whatever transformers thinks of it, with every token that ends a
    completion here: what generates with the model then stops where it was trained to."""
    generation = plain.generation_config
    settings = {} if generation is None else json.loads(generation.to_json_string())
    ends = settings.get("eos_token_id")
    known = {ends} if isinstance(ends, int) else set(ends or ())
    every = sorted(known | ({tokenizer.eos_token_id} if tokenizer.eos_token_id is not None else set()))
    if every:
        settings["eos_token_id"] = every if len(every) > 1 else every[0]
    (folder / GENERATION_CONFIG).write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


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

    With |x| the root mean square over the probe, d = exported - trained and c = trained - adapters off, all in float32: |d|
    must be at most the largest of a tenth of |c|, 1e-4 of |trained|, and |trained in its own dtype - trained|; and no more
    than a tenth of c may be missing, -<d, c> / <c, c>. Where float32 has no room, all is in bfloat16, and 3e-2 of |trained|
    is allowed. Of several ranks all call, and one has `check`.
    """
    plain = plain_model(model)
    exported = _load(plain, folder) if check else None
    rounded = probe(model)
    with in_float32(model) as exact:
        trained, change = _changed(model)
    if exported is None:
        return
    with in_float32(exported) as also:
        off = probe(exported)
    if exact and not also:
        trained, change = _changed(model)
    exact = exact and also
    off -= trained
    allowed = max(SHARE_OF_CHANGE * size(change), ROUNDING[torch.float32 if exact else plain.dtype] * size(trained))
    if exact:
        allowed = max(allowed, size(rounded - trained))
    missing = -float((off * change).sum() / change.square().sum()) if size(change) else 0.0
    lost = missing > SHARE_OF_CHANGE and size(off) > ROUNDING[torch.float32] * size(trained)
    if not size(off) <= allowed or lost:
        raise BadExport(
            f"{folder}: the exported model must compute what was trained; on a probe batch its logits differ by "
            f"{size(off):.3g} (root mean square) where {allowed:.3g} is allowed and the adapters change them by "
            f"{size(change):.3g}, of which {max(0.0, missing):.0%} is missing. The checkpoints are good; the merge in "
            "src/models/load.py is not"
        )


def _changed(model: Any) -> tuple[Tensor, Tensor]:
    """The logits of a policy on the probe, and what its adapters change in them (zeros without adapters)."""
    trained = probe(model)
    if not hasattr(model, "disable_adapter"):
        return trained, torch.zeros_like(trained)
    with reference(model, None) as base:
        return trained, trained - probe(base)


def _load(plain: Any, folder: Path) -> Any:
    """The model in `folder`, as `plain` is.

    Raises:
        BadExport: its weights are not those that its settings name.
    """
    from transformers import AutoModelForCausalLM

    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=plain.dtype,
        attn_implementation=plain.config._attn_implementation,
        use_safetensors=True,
        trust_remote_code=has_own_code(plain),
        output_loading_info=True,
    )
    exported, report = loaded
    if wrong := misfits(exported, report):
        raise BadExport(f"{folder}: the exported model must have all weights under their names in files; {wrong}")
    return exported.to(plain.device).eval()


def probe(model: Any) -> Tensor:
    """Logits [rows, tokens, V] in float32 on tokens that depend on the size of the vocabulary alone."""
    plain = plain_model(model)
    count = PROBE_ROWS * PROBE_TOKENS
    tokens = torch.arange(1, count + 1, device=plain.device) * 7919 % plain.config.get_text_config().vocab_size
    logits: Tensor = plain(input_ids=tokens.view(PROBE_ROWS, PROBE_TOKENS), use_cache=False).logits
    return logits.float()


def size(values: Tensor) -> float:
    """Root mean square."""
    return float(values.square().mean().sqrt())

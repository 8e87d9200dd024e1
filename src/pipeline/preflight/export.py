"""Can what will be trained be saved? The untrained model, with adapters of small random values under LoRA, saved and read
again in a temporary folder; of a large model a copy of a few narrow layers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from src.common.errors import UserError
from src.models.spec import ModelSpec
from src.pipeline.preflight.settings import weight_bytes

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WHOLE = 300_000_000  # bytes of weights up to which the model itself is tried
LAYERS = 2  # of a copy, or as many as there are kinds of them
WIDTH = 64  # of the inner layers of a copy
ROWS = 1024  # of its embedding
SCALE = 0.02  # of the random adapters


class CannotSave(UserError):
    """A model can be trained, and what is trained cannot be saved."""


def try_export(
    path: str, settings: Any, spec: ModelSpec, tokenizer: PreTrainedTokenizerBase, directory: Path
) -> str | None:
    """Save and read again; a sentence where it was a copy that was tried, or nothing could be. Works on the CPU in a
    temporary folder of `directory`.

    Raises:
        CannotSave: what is saved does not compute what it should.
    """
    import torch

    from src.models.ends import note_ends
    from src.models.load import load_policy, load_tokenizer
    from src.models.save import BadExport, save_model

    if spec.attention == "flash_attention_2":  # needs a GPU, and is not saved
        spec = replace(spec, attention="eager")
    note = None
    with TemporaryDirectory(prefix=".preflight-", dir=directory) as folder, torch.random.fork_rng(devices=[]):
        size = weight_bytes(path)
        if size is None or size > WHOLE:
            small = Path(folder) / "small"
            note = _write_copy(settings, spec, small)
            if not small.is_dir():
                return note
            path = str(small)
        policy = load_policy(path, spec, "cpu", 0)
        _disturb(policy)
        note_ends(policy, tokenizer)
        try:
            save_model(policy, tokenizer, Path(folder) / "model")
        except BadExport as error:
            raise CannotSave(_sentence(error, spec)) from None
        load_tokenizer(Path(folder) / "model", replace(spec, chat_template=None))
    return note


def _sentence(error: Exception, spec: ModelSpec) -> str:
    """Without the folder that it was tried in, and without advice for a run that has been trained."""
    reason = str(error).partition(": ")[2].partition(". The ")[0]
    adapters = f" with model.lora.rank={spec.lora.rank}" if spec.lora.rank else ""
    fix = "Train all weights (model.lora.rank=0), or take" if spec.lora.rank else "Take"
    return f"what is trained of {spec.path}{adapters} could not be saved: {reason}. {fix} another model"


def _disturb(policy: Any) -> None:
    """Give adapters values that change something; their second factors are zero at the start."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * SCALE)


def _write_copy(settings: Any, spec: ModelSpec, folder: Path) -> str:
    """Write a small model of the same configuration, if one can be made; a sentence about it."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    constructor: Any = AutoModelForCausalLM  # its methods have no types
    reason = ""
    for small in _shortened(settings):
        try:
            model = constructor.from_config(
                small, dtype=getattr(torch, spec.dtype), trust_remote_code=spec.trust_remote_code
            )
            model.save_pretrained(folder)
        except Exception as error:  # a configuration that does not bear it
            reason = reason or f"{type(error).__name__}: {error}"
            continue
        layers = small.get_text_config().num_hidden_layers
        return f"saving was tried on a copy of the model with {layers} layers, for the whole of it is large"
    return f"saving could not be tried before training, for no small copy of this configuration works ({reason:.200})"


def _shortened(settings: Any) -> Iterator[Any]:
    """Smaller and smaller departures: with narrow layers, then with layers as wide as they are."""
    for width in (WIDTH, None):
        small = copy.deepcopy(settings)
        text = small.get_text_config()
        layers = text.num_hidden_layers
        kept = min(layers, _needed(text, layers))
        for name, value in list(vars(text).items()):
            if isinstance(value, list) and len(value) == layers:
                setattr(text, name, value[:kept])
            elif width and name.endswith("intermediate_size") and isinstance(value, int):
                setattr(text, name, min(width, value))
        text.num_hidden_layers = kept
        for part in {id(small): small, id(text): text}.values():
            if getattr(part, "vocab_size", None):
                part.vocab_size = min(ROWS, part.vocab_size)
            part.pad_token_id = None
        yield small


def _needed(text: Any, layers: int) -> int:
    """So many layers that each kind of them is there."""
    needed = LAYERS
    for name in ("layer_types", "mlp_layer_types"):
        kinds = getattr(text, name, None)
        if isinstance(kinds, list) and len(kinds) == layers:
            needed = max(needed, *(kinds.index(kind) + 1 for kind in set(kinds)))
    dense = getattr(text, "first_k_dense_replace", 0)
    return max(needed, dense + 1 if isinstance(dense, int) else 0)

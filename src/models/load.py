"""Loading transformers models and adapters: safetensors only, no remote code unless the run asks for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from src.models.foreign import CannotRun, ModelNotFound, check_hub, explained, near
from src.models.spec import LoraSpec, ModelSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(path: str | Path, spec: ModelSpec) -> PreTrainedTokenizerBase:
    """The tokenizer beside a model, as it is; it must have a chat template and an end token."""
    from transformers import AutoTokenizer

    with explained(path):
        tokenizer = AutoTokenizer.from_pretrained(existing(path), trust_remote_code=spec.trust_remote_code)
    if tokenizer.chat_template is None:
        raise ModelNotFound(f"{path}: the tokenizer has no chat template, so a question cannot be put to the model")
    if tokenizer.eos_token_id is None:
        raise ModelNotFound(f"{path}: the tokenizer has no end-of-sequence token, so no completion could end")
    return tokenizer


def pad_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """What fills up the rows of a batch; the end token where there is no pad token.

    Nothing is read off it: masks and lengths come from the lengths of the sequences, so padding with the end token
    neither trains on it nor hides the one end token that is learned.
    """
    pad = tokenizer.pad_token_id
    return int(tokenizer.eos_token_id if pad is None else pad)


def load_model(path: str | Path, spec: ModelSpec, device: str = "cpu") -> PreTrainedModel:
    """The model at `path` in the dtype of `spec` on `device`, in evaluation mode.

    Raises:
        ModelNotFound: there is no model at `path`.
        CannotRun: the attention of `spec` is not installed.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    if spec.attention == "flash_attention_2":
        _check_flash()
    logging.disable_progress_bar()  # a flicker on the models of this project, and noise in logs
    with explained(path):
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            existing(path),
            dtype=getattr(torch, spec.dtype),
            attn_implementation=spec.attention,
            trust_remote_code=spec.trust_remote_code,
            use_safetensors=True,
        )
    model.eval()
    nn.Module.to(model, device)
    return model


def load_policy(path: str | Path, spec: ModelSpec, device: str, seed: int) -> Any:
    """The model at `path` on `device`, as it is trained: with adapters and gradient checkpointing if `spec` says so.

    `seed` gives the adapters their first values, the same on every rank.
    """
    torch.manual_seed(seed)
    model = add_lora(load_model(path, spec, device), spec.lora)
    return checkpointed(model) if spec.gradient_checkpointing else model


def add_lora(model: Any, spec: LoraSpec) -> Any:
    """`model` with adapters on all linear layers, only they trainable; the model itself when `rank` is 0."""
    if spec.rank == 0:
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,  # type: ignore[arg-type]  # peft takes any number
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config).eval()


def checkpointed(model: Any) -> Any:
    """`model` with gradient checkpointing, which transformers does in training mode alone.

    Raises:
        CannotRun: the model drops values at random in training mode, so the sampler would be another policy.
    """
    dropouts = [name for name, module in model.named_modules() if getattr(module, "p", 0) and "Dropout" in repr(module)]
    dropouts += [key for key, value in vars(plain_model(model).config).items() if "dropout" in key and value]
    if dropouts:
        raise CannotRun(
            f"model.gradient_checkpointing needs a model without dropout, for it works in training mode only; this one "
            f"has some in {', '.join(dropouts[:3])}. Set it to 0 in the model's config.json, or "
            "model.gradient_checkpointing=false"
        )
    plain_model(model).gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model.train()


@contextlib.contextmanager
def reference(policy: Any, copy: Any | None) -> Iterator[Any]:
    """The reference policy: `copy`, or without one the policy with its adapters off."""
    if copy is not None:
        yield copy
        return
    with policy.disable_adapter():
        yield policy


def plain_model(model: Any) -> Any:
    """The transformers model itself, with its adapters in place but without peft's wrapper around it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


class PolicyWeights(Mapping[str, torch.Tensor]):
    """Name -> weight of the plain model, adapters folded in (base + alpha / rank * B A); nothing is changed.

    A weight is folded when it is asked for, so there is no second copy of all of them. peft's own merge and unmerge would
    leave rounding in the base weights, and a resumed run would then differ.
    """

    def __init__(self, model: Any) -> None:
        self.adapted = {
            name: module
            for name, module in model.named_modules()
            if hasattr(module, "get_delta_weight") and getattr(module, "lora_A", None)
        }
        self.held: dict[str, tuple[str, torch.Tensor]] = {
            name.removeprefix("base_model.model.").replace(".base_layer.", "."): (name, tensor)
            for name, tensor in model.state_dict(keep_vars=True).items()
            if ".lora_" not in name
        }

    @torch.no_grad()
    def __getitem__(self, name: str) -> torch.Tensor:
        full, tensor = self.held[name]
        owner, base, _ = full.rpartition(".base_layer.weight")
        adapted = self.adapted.get(owner) if base else None
        parts = [tensor] if adapted is None else [tensor, *adapted.parameters()]
        with whole(parts) as gathered:
            if adapted is not None:
                delta: torch.Tensor = adapted.get_delta_weight("default")  # alpha / rank * B A, as the adapter has them
                return (tensor.float() + delta.float()).to(tensor.dtype)
            return tensor.detach().clone() if gathered else tensor.detach()

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


@contextlib.contextmanager
def whole(tensors: Iterable[torch.Tensor], change: bool = False) -> Iterator[bool]:
    """Those of `tensors` that are split over ranks (ZeRO 3) are whole inside, on every rank; whether there were any.

    Every rank must enter. With `change`, what rank 0 has inside is what all have afterwards.
    """
    split = list({id(tensor): tensor for tensor in tensors if hasattr(tensor, "ds_id")}.values())
    if not split:
        yield False
        return
    import deepspeed

    with deepspeed.zero.GatheredParameters(split, modifier_rank=0 if change else None):
        yield True


def policy_weights(model: Any) -> Mapping[str, torch.Tensor]:
    """The weights of a policy as those of a plain model; see `PolicyWeights`."""
    return PolicyWeights(model)


def _check_flash() -> None:
    from transformers.utils.import_utils import is_flash_attn_2_available

    if not is_flash_attn_2_available():
        raise CannotRun(
            "model.attention=flash_attention_2 needs the package flash-attn and an NVIDIA GPU; at least one is missing "
            "here. Install it, or use model.attention=sdpa"
        )


def existing(path: str | Path) -> str:
    """A folder that holds a model, or a hub name; a path-like name that is not there is an error of ours."""
    text = str(path)
    folder = Path(text)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
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

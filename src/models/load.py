"""Loading transformers models and adapters: safetensors only, no remote code unless the run asks for it."""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from src.models.folder import check_folder, existing, read_config
from src.models.foreign import CannotRun, ModelNotFound, explained
from src.models.head import head_of
from src.models.roundtrip import faithful
from src.models.spec import LoraSpec, ModelSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


# Tensors of a file that no model computes with: tables that are made anew, masks.
TABLES = re.compile(r"(inv_freq|masked_bias|attn\.bias|attention\.bias|_extra_state|position_ids)$")


def load_tokenizer(path: str | Path, spec: ModelSpec) -> PreTrainedTokenizerBase:
    """The tokenizer beside a model, with the chat template of `spec` where it gives one; it must have a template and an end
    token."""
    from transformers import AutoTokenizer

    with explained(path):
        made = AutoTokenizer.from_pretrained(existing(path), trust_remote_code=spec.trust_remote_code)
    tokenizer = faithful(made, str(path))
    if spec.chat_template is not None:
        tokenizer.chat_template = Path(spec.chat_template).read_text(encoding="utf-8")
    if tokenizer.chat_template is None:
        raise ModelNotFound(
            f"{path}: the tokenizer has no chat template, so a question cannot be put to the model. Give one with "
            "model.chat_template=<file>"
        )
    if tokenizer.eos_token_id is None:
        raise ModelNotFound(f"{path}: the tokenizer has no end-of-sequence token, so no completion could end")
    return tokenizer


def pad_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """What fills up the rows of a batch: the end token, for a pad token may be missing, or have no row in the model.

    Nothing is read off it: masks and lengths come from the lengths of the sequences, so padding with the end token
    neither trains on it nor hides the one end token that is learned.
    """
    return int(tokenizer.eos_token_id)


def load_model(path: str | Path, spec: ModelSpec, device: str = "cpu") -> PreTrainedModel:
    """The model at `path` in the dtype of `spec` on `device`, in evaluation mode.

    Raises:
        ModelNotFound: there is no model at `path`, or its weights are not those of its architecture, or no numbers.
        CannotRun: the attention of `spec` is not installed, or the model is quantised or needs code that is not allowed.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    if spec.attention == "flash_attention_2":
        check_flash()
    check_folder(path, spec)
    logging.disable_progress_bar()  # a flicker on the models of this project, and noise in logs
    with explained(path):
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            existing(path),
            dtype=getattr(torch, spec.dtype),
            attn_implementation=spec.attention,
            trust_remote_code=spec.trust_remote_code,
            use_safetensors=True,
            output_loading_info=True,
            **_unpacked(path),
        )
    model: PreTrainedModel = loaded[0]
    if wrong := misfits(model, loaded[1]):
        raise ModelNotFound(f"{path}: a model must have the weights that config.json says; {wrong}")
    if broken := not_finite(model):
        raise ModelNotFound(
            f"{path}: weights must be numbers; {broken} holds NaN or infinity in {spec.dtype}. Take another checkpoint of it"
        )
    model.eval()
    nn.Module.to(model, device)
    return model


def _unpacked(path: str | Path) -> dict[str, Any]:
    """Have weights that are packed in a way that can be undone unpacked, whatever this machine could do with them packed."""
    packed = read_config(path).get("quantization_config")
    if not isinstance(packed, dict):
        return {}
    from transformers.utils import quantization_config

    kinds: dict[str, Any] = {
        "fp8": quantization_config.FineGrainedFP8Config,
        "mxfp4": quantization_config.Mxfp4Config,
    }
    kind = kinds.get(packed.get("quant_method", ""))
    return {} if kind is None else {"quantization_config": kind(dequantize=True)}


def misfits(model: Any, report: Mapping[str, Collection[Any]]) -> str:
    """What of the weights on disk does not fit the architecture, in words; empty where all do.

    Tensors of parts that the architecture does not have (a vision tower, heads of other tasks) are no misfit; those within a
    part that it has are: the model would compute without them.
    """
    modules = {name for name, _ in model.named_modules() if name.count(".") > 1}
    ignored = [
        name
        for name in map(str, report.get("unexpected_keys", ()))
        if not TABLES.search(name) and {name.rpartition(".")[0], ".".join(name.split(".")[:-2])} & modules
    ]
    parts = {
        "are missing": sorted(map(str, report.get("missing_keys", ()))),
        "have another shape": sorted(
            str(key[0] if isinstance(key, tuple) else key) for key in report.get("mismatched_keys", ())
        ),
        "are not used": sorted(ignored),
    }
    lines = [f"{len(names)} {kind} ({', '.join(names[:3])})" for kind, names in parts.items() if names]
    return "; ".join(lines)


@torch.no_grad()
def not_finite(model: Any) -> str | None:
    """The name of a weight that holds NaN or infinity, if there is one."""
    for name, parameter in model.named_parameters():
        if parameter.numel() and parameter.is_floating_point():
            low, high = parameter.aminmax()  # which pass NaN on
            if not (math.isfinite(float(low)) and math.isfinite(float(high))):
                return str(name)
    return None


def load_policy(path: str | Path, spec: ModelSpec, device: str, seed: int) -> Any:
    """The model at `path` on `device`, as it is trained: with adapters and gradient checkpointing if `spec` says so.

    `seed` gives the adapters their first values, the same on every rank.
    """
    plain = load_model(path, spec, device)
    head_of(plain)  # measured once, before anything is wrapped or split
    torch.manual_seed(seed)
    model = add_lora(plain, spec.lora)
    return checkpointed(model) if spec.gradient_checkpointing else model


def add_lora(model: Any, spec: LoraSpec) -> Any:
    """`model` with adapters on all linear layers and experts, only they trainable; the model itself when `rank` is 0.

    Raises:
        CannotRun: peft has no adapters for this architecture.
    """
    if spec.rank == 0:
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,  # type: ignore[arg-type]  # peft takes any number
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    try:
        with warnings.catch_warnings():  # of patterns that peft makes for experts by itself
            warnings.filterwarnings("ignore", message=".*_pattern keys did not match", category=RuntimeWarning)
            return get_peft_model(model, config).eval()
    except (ValueError, NotImplementedError, RuntimeError) as error:
        reason = re.sub(r"\s+", " ", str(error).strip())[:300]
        raise CannotRun(
            f"model.lora.rank={spec.rank} needs an architecture that peft has adapters for; of {model.config.model_type} it "
            f"says: {reason} Use model.lora.rank=0, which trains all weights"
        ) from error


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
        self.adapters = {id(adapted_weight(module)): module for module in self.adapted.values()}
        self.held: dict[str, tuple[str, torch.Tensor]] = {
            plain_name(name): (name, tensor)
            for name, tensor in model.state_dict(keep_vars=True).items()
            if ".lora_" not in name
        }

    @torch.no_grad()
    def __getitem__(self, name: str) -> torch.Tensor:
        tensor = self.held[name][1]
        adapted = self.adapters.get(id(tensor))
        factors = [] if adapted is None else [p for part, p in adapted.named_parameters() if "lora_" in part]
        with whole([tensor, *factors]) as gathered:
            if adapted is not None:
                delta: torch.Tensor = adapted.get_delta_weight("default")  # alpha / rank * B A, as the adapter has them
                return (tensor.float() + delta.float()).to(tensor.dtype)
            return tensor.detach().clone() if gathered else tensor.detach()

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


def plain_name(name: str) -> str:
    """The name that a weight of a policy has in the plain model: without peft's wrappers, which nest around experts."""
    return name.removeprefix("base_model.model.").replace("base_layer.", "")


def adapted_weight(module: Any) -> torch.Tensor:
    """The weight that an adapter changes: that of its layer, or the one of the experts that it names."""
    weight: torch.Tensor = module.get_param() if hasattr(module, "get_param") else module.get_base_layer().weight
    return weight


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


def policy_weights(model: Any) -> PolicyWeights:
    """The weights of a policy as those of a plain model; see `PolicyWeights`."""
    return PolicyWeights(model)


def check_flash() -> None:
    """Raise `CannotRun` unless flash attention is installed and has its GPU."""
    from transformers.utils.import_utils import is_flash_attn_2_available

    if not is_flash_attn_2_available():
        raise CannotRun(
            "model.attention=flash_attention_2 needs the package flash-attn and an NVIDIA GPU; at least one is missing "
            "here. Install it, or use model.attention=sdpa"
        )

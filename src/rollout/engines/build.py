"""From a `RolloutSpec` to an engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.rollout.engines.base import Engine, Sampling, end_tokens
from src.rollout.spec import RolloutSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def build_engine(spec: RolloutSpec, model: Any, tokenizer: PreTrainedTokenizerBase) -> Engine:
    """The engine of `spec` for the architecture of `model`, a policy or a plain transformers model, its weights loaded."""
    from src.models.load import pad_token, plain_model, policy_weights

    plain = plain_model(model)
    ends = ends_of(tokenizer, plain)
    pad = pad_token(tokenizer)
    engine: Engine
    if spec.engine == "native":
        from src.rollout.engines.native import NativeEngine

        engine = NativeEngine(plain.config, ends, pad, spec.rows_at_once, str(plain.device))
    elif spec.engine == "scripted":
        from src.data.chat import completion_tokens
        from src.rollout.engines.scripted import FileEngine, read_script

        replies = read_script(Path(str(spec.script)), lambda text: completion_tokens(tokenizer, text))
        engine = FileEngine(replies, ends)
    elif spec.engine == "vllm" and spec.vllm.url is not None:
        from src.rollout.engines.server import ServerEngine

        engine = ServerEngine(spec, plain, ends)
    elif spec.engine == "vllm":
        from src.rollout.engines.vllm import VllmEngine

        engine = VllmEngine(spec, plain, ends)
    else:
        from transformers import AutoModelForCausalLM

        from src.rollout.engines.hf import HfEngine

        constructor: Any = AutoModelForCausalLM  # its methods have no types
        twin = constructor.from_config(plain.config, dtype=plain.dtype).to(plain.device)
        engine = HfEngine(twin, ends, pad, spec.rows_at_once)
    engine.load(policy_weights(model))
    return engine


def one_engine_per_rank(spec: RolloutSpec) -> RolloutSpec:
    """`spec` with an engine for each rank, for stages in which ranks have different amounts to do."""
    return replace(spec, vllm=replace(spec.vllm, tensor_parallel=1))


def ends_of(tokenizer: PreTrainedTokenizerBase, model: Any) -> tuple[int, ...]:
    """Every token that ends a completion: the tokenizer's, which is the one that is learned, and those of the model's own
    `generation_config.json` (Qwen3 has two)."""
    ends = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    return tuple(sorted({int(tokenizer.eos_token_id), *(() if ends is None else end_tokens(ends))}))


def sampling_of(spec: RolloutSpec) -> Sampling:
    """The sampling settings of a `RolloutSpec`."""
    return Sampling(spec.maximum_new_tokens, spec.temperature, spec.top_p, spec.top_k, spec.min_p)

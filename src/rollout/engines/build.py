"""From a `RolloutSpec` to an engine."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.models.context import context_of
from src.models.ends import ends_of, learned_end
from src.rollout.engines.base import Engine, Sampling
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

        end = learned_end(tokenizer)
        replies = read_script(Path(str(spec.script)), lambda text: completion_tokens(tokenizer, text, end))
        engine = FileEngine(replies, ends)
    elif spec.engine == "vllm" and spec.vllm.url is not None:
        from src.rollout.engines.server import ServerEngine

        engine = ServerEngine(spec, plain, ends)
    elif spec.engine == "vllm":
        from src.rollout.engines.vllm import VllmEngine

        engine = VllmEngine(spec, plain, ends)
    else:
        from src.rollout.engines.hf import HfEngine

        attention = plain.config._attn_implementation
        twin = type(plain)._from_config(copy.deepcopy(plain.config), dtype=plain.dtype, attn_implementation=attention)
        twin = twin.to(plain.device)
        engine = HfEngine(twin, ends, pad, spec.rows_at_once)
    engine.positions = context_of(plain.config)
    engine.load(policy_weights(model))
    return engine


def one_engine_per_rank(spec: RolloutSpec) -> RolloutSpec:
    """`spec` with an engine for each rank, for stages in which ranks have different amounts to do."""
    return replace(spec, vllm=replace(spec.vllm, tensor_parallel=1))


def sampling_of(spec: RolloutSpec) -> Sampling:
    """The sampling settings of a `RolloutSpec`."""
    return Sampling(spec.maximum_new_tokens, spec.temperature, spec.top_p, spec.top_k, spec.min_p)

"""From a `RolloutSpec` to an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from src.rollout.base import Engine, Sampling
from src.rollout.spec import RolloutSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def build_engine(spec: RolloutSpec, model: Any, tokenizer: PreTrainedTokenizerBase) -> Engine:
    """The engine of `spec` for the architecture of `model` (a plain transformers model), its weights loaded."""
    from src.models.load import pad_token, plain_model, policy_weights

    plain = plain_model(model)
    end, pad = tokenizer.eos_token_id, pad_token(tokenizer)
    engine: Engine
    if spec.engine == "native":
        from src.rollout.native import NativeEngine

        engine = NativeEngine(plain.config, end, pad, spec.rows_at_once, str(plain.device))
    else:
        from transformers import AutoModelForCausalLM

        from src.rollout.hf import HfEngine

        twin = AutoModelForCausalLM.from_config(plain.config, dtype=plain.dtype).to(plain.device)
        engine = HfEngine(twin, end, pad, spec.rows_at_once)
    engine.load(policy_weights(model))
    return engine


def sampling_of(spec: RolloutSpec) -> Sampling:
    """The sampling settings of a `RolloutSpec`."""
    return Sampling(spec.maximum_new_tokens, spec.temperature, spec.top_p)

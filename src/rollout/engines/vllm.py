"""Rollouts by vLLM in the trainer's own process: continuous batching, and a prompt is computed once for its group.

Weights are handed over in memory. The engine is loaded without tied embeddings whatever the model has: on a CPU, vLLM
repacks the head once, and a tied one would then keep its first weights. In a run of several ranks each has an engine of
its own, or every `tensor_parallel` of them share one.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.common.errors import UserError
from src.models.load import PolicyWeights, policy_weights
from src.models.names import in_files
from src.models.save import has_own_code
from src.rollout.engines.adapter import BaseWeights, lora_rank, write_adapter
from src.rollout.engines.base import Rollout, Sampling, end_tokens
from src.rollout.spec import RolloutSpec

TOKENS_AT_ONCE = 8192  # of prompts, in one pass
LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # what vLLM makes room for
CPU_HEADS = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256, 512)  # sizes of a head that its attention has on a CPU
# Set before vLLM is imported; what the user has set stays.
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the weights are in this process
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # threads are the trainer's too
}
# What a configuration says beside the model: it may differ between the policy and the model that it is saved as.
NOT_SIZES = ("dtype", "torch_dtype", "transformers_version", "use_cache")
SHARED_MEMORY = Path("/dev/shm")  # where Linux names it
# What vLLM says, and where, of weights that it was not given.
RELOADING = "vllm.model_executor.model_loader.reload.inplace"
NOT_TAKEN = "were not loaded from checkpoint"
_running: dict[str, tuple[Any, int]] = {}  # settings -> LLM and the LoRA rank it has room for: a process can have one


class VllmUnusable(UserError):
    """vLLM is not installed, or cannot do what is asked of it."""


class VllmEngine:
    """See `src.rollout.engines.base.Engine`. `model` is the plain transformers model, adapters in place if it has some."""

    name = "vllm"
    probed = True
    positions: int | None = None

    def __init__(self, spec: RolloutSpec, model: Any, end: int | Sequence[int]) -> None:
        self.spec = spec
        self.ends = end_tokens(end)
        self.rank = lora_rank(policy_weights(model)) if spec.sync == "adapter" else 0
        if self.rank and any(hasattr(module, "get_param") for module in policy_weights(model).adapted.values()):
            raise VllmUnusable(
                "rollout.sync=adapter needs adapters on linear layers alone, and this policy has some on experts. Use rollout.sync=merged"
            )
        self.limit = min(
            spec.vllm.maximum_prompt_tokens + spec.maximum_new_tokens,
            getattr(model.config, "max_position_embeddings", None) or 2**31,
        )
        self.model = model
        self.llm = _start(spec, model, self.limit, self.rank)
        self.sleeps = spec.vllm.sleep and torch.cuda.is_available()
        self.asleep = False
        self.adapter: Any = None  # the request that names the adapters, once they are loaded
        self.loads = 0

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the policy's weights: all of them, or of `sync=adapter` after the first time its adapters alone."""
        self._wake()
        self.loads += 1
        if not self.rank:
            self._replace(weights)
            return
        assert isinstance(weights, PolicyWeights)
        if self.adapter is None:
            self._replace(BaseWeights(weights))
        self._adapt(weights)
        self.llm.reset_prefix_cache()

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """See `Engine.generate`. Ranks that share an engine all go through all of their prompts."""
        from vllm import SamplingParams

        if not self.loads:
            raise RuntimeError("VllmEngine.load must be called with the policy's weights before generate")
        if (longest := max(map(len, prompts), default=0)) >= self.limit:
            raise VllmUnusable(
                f"rollout.vllm.maximum_prompt_tokens must be at least the length of every prompt; got "
                f"{self.spec.vllm.maximum_prompt_tokens}, and a prompt has {longest} tokens. Raise it, or leave long prompts "
                "out with grpo.maximum_prompt_tokens"
            )
        self._wake()
        shared, own = self._together(list(zip(map(list, prompts), seeds, strict=True)))
        inputs = [{"prompt_token_ids": prompt} for prompt, _ in shared for _ in range(completions)]
        settings = [
            SamplingParams(**request_settings(sampling, self.ends, seed, index), flat_logprobs=True)
            for _, seed in shared
            for index in range(completions)
        ]
        outputs = self.llm.generate(inputs, settings, use_tqdm=False, lora_request=self.adapter) if inputs else []
        if self.sleeps:
            self.llm.sleep(level=1)
            self.asleep = True
        flat = [self._rollout(output.outputs[0]) for output in outputs]
        groups = [flat[start : start + completions] for start in range(0, len(flat), completions)]
        return groups[own]

    def _rollout(self, output: Any) -> Rollout:
        tokens = list(output.token_ids)
        logprobs = torch.tensor(output.logprobs.logprobs, dtype=torch.float32)  # flat: one of each sampled token
        assert len(logprobs) == len(tokens)
        return Rollout(tokens, logprobs, not tokens or tokens[-1] not in self.ends)

    def _replace(self, weights: Mapping[str, Tensor]) -> None:
        settings = {"weights_iterator": with_head(in_files(self.model, weights)), "is_checkpoint_format": True}
        with _all_taken_over():
            try:
                self.llm.collective_rpc("reload_weights", kwargs=settings)
            except (KeyError, ValueError, AttributeError) as error:
                raise VllmUnusable(
                    f"vLLM must take over every weight of {type(self.model).__name__}; it stopped with {type(error).__name__}: "
                    f"{str(error)[:200]}. It does not know this architecture well enough: use rollout=hf"
                ) from error
        self.llm.reset_prefix_cache()

    def _adapt(self, weights: PolicyWeights) -> None:
        """A new number for every version: what is cached of an earlier one is never taken for this one."""
        from vllm.lora.request import LoRARequest

        before = self.adapter
        with tempfile.TemporaryDirectory(prefix="adapter-") as folder:  # read at once, so not needed afterwards
            write_adapter(weights, Path(folder))
            self.adapter = LoRARequest(f"policy-{self.loads}", self.loads, folder)
            if before is not None:
                self.llm.llm_engine.remove_lora(before.lora_int_id)
            self.llm.llm_engine.add_lora(self.adapter)

    def _wake(self) -> None:
        if self.asleep:
            self.llm.wake_up()
            self.asleep = False

    def _together(self, own: list[tuple[list[int], int]]) -> tuple[list[tuple[list[int], int]], slice]:
        """The prompts of all ranks that share this engine, the same on each of them, and which are this rank's."""
        size = self.spec.vllm.tensor_parallel
        if size == 1:
            return own, slice(None)
        from vllm.distributed.parallel_state import get_tp_group

        group = get_tp_group()
        parts: list[list[tuple[list[int], int]]] = [[] for _ in range(size)]
        torch.distributed.all_gather_object(parts, own, group=group.cpu_group)
        before = sum(len(part) for part in parts[: group.rank_in_group])
        return [pair for part in parts for pair in part], slice(before, before + len(own))


def request_settings(sampling: Sampling, ends: Sequence[int], seed: int, index: int) -> dict[str, Any]:
    """The arguments of `vllm.SamplingParams` for completion `index` of a prompt with this seed."""
    return {
        "max_tokens": sampling.maximum_new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "seed": seed_of(seed, index),
        "logprobs": 0,  # of the sampled token alone
        "detokenize": False,
        "ignore_eos": True,  # the end tokens are ours to say
        "stop_token_ids": [end for end in ends if end >= 0],
    }


def seed_of(seed: int, index: int) -> int:
    """The seed of completion `index` of a prompt with this seed: 63 bits of both and of nothing else."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{index}".encode()).digest()[:8], "big") >> 1


def with_head(weights: Iterable[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    """(name, weight) one at a time, and always a head: that of a tied model is its embedding."""
    embedding = None
    head = False
    for name, weight in weights:
        yield name, weight
        head = head or name == "lm_head.weight"
        embedding = weight if name == "model.embed_tokens.weight" else embedding
    if not head and embedding is not None:
        yield "lm_head.weight", embedding


@contextlib.contextmanager
def _all_taken_over() -> Iterator[None]:
    """Raise `VllmUnusable` where vLLM has kept weights that it started with, which are random: it only logs their names."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger = logging.getLogger(RELOADING)
    handler = Keep(logging.WARNING)
    before = (logger.level, logger.propagate)
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
    if kept := [line for line in lines if NOT_TAKEN in line]:
        raise VllmUnusable(
            f"vLLM must take over every weight of the policy; {kept[0].rpartition(NOT_TAKEN)[2].strip(': ')[:300]} of its model "
            "were not among them. It knows this architecture by other names: use rollout=hf"
        )


def untied(model: Any) -> Any:
    """The configuration of `model` with a head of its own."""
    config = copy.deepcopy(model.config)
    config.tie_word_embeddings = False
    config.architectures = [type(model).__name__]
    return config


def head_size(config: Any) -> int:
    """How many numbers a head has."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _start(spec: RolloutSpec, model: Any, limit: int, rank: int) -> Any:
    """The engine of this process for the architecture of `model`, with no weights yet; raises `VllmUnusable`."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from transformers.dynamic_module_utils import custom_object_save
        from vllm import LLM
    except ImportError as error:
        raise VllmUnusable(
            f"rollout.engine=vllm needs the package vllm; importing it says: {error}. Install it with `make setup-gpu` on a "
            "machine with an NVIDIA GPU, or use rollout=native or rollout=hf"
        ) from None
    config = untied(model)
    if not torch.cuda.is_available() and (size := head_size(config)) not in CPU_HEADS:
        raise VllmUnusable(
            f"rollout.engine=vllm without a GPU needs heads of {', '.join(map(str, CPU_HEADS))} numbers; this model's have "
            f"{size}. Use rollout=native or rollout=hf"
        )
    if not torch.cuda.is_available() and any(parameter.dim() == 3 for parameter in model.parameters()):
        raise VllmUnusable(
            f"rollout.engine=vllm without a GPU keeps the first weights of experts, and {type(model).__name__} has some; use "
            "rollout=hf"
        )
    settings = _settings(spec, str(model.dtype).removeprefix("torch."), limit)
    sizes = {name: value for name, value in config.to_dict().items() if name not in NOT_SIZES and name[0] != "_"}
    key = json.dumps([sizes, settings], sort_keys=True, default=str)
    if key in _running and _running[key][1] >= rank:
        return _running[key][0]
    if _running:
        raise VllmUnusable(
            "rollout.engine=vllm must serve one model and one set of rollout.vllm settings in a process; another one is "
            "loaded here. Run the stages by separate commands (stages=[...]), or with distributed.processes=2 or more"
        )
    if torch.distributed.is_initialized():
        settings["distributed_executor_backend"] = "external_launcher"  # one worker, among the ranks there are
    if rank:
        settings |= {"enable_lora": True, "max_loras": 1, "max_cpu_loras": 1}
        settings["max_lora_rank"] = next((size for size in LORA_RANKS if size >= rank), rank)
    shared = spec.vllm.tensor_parallel > 1 and not torch.cuda.is_available()
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:  # read at the start alone
        config.save_pretrained(folder)
        if has_own_code(model):
            custom_object_save(model, folder, config=config)
            settings["trust_remote_code"] = True
        try:
            with _shared_memory() if shared else contextlib.nullcontext():
                _running[key] = LLM(model=folder, **settings), rank
        except ValueError as error:
            raise VllmUnusable(
                f"vLLM must have room for a sequence of {limit} tokens beside the weights, and know the model; it says: "
                f"{error}. What changes it: rollout.vllm.memory_share (cpu_cache_gb without a GPU), "
                "rollout.vllm.maximum_prompt_tokens, rollout.maximum_new_tokens"
            ) from None
    return _running[key][0]


@contextlib.contextmanager
def _shared_memory() -> Iterator[None]:
    """Around the start of an engine, by all ranks: the memory through which ranks share one on a CPU ends with them.

    vLLM names it by the ranks alone, leaves it behind, and does not start where the name is taken. So the name is free
    before the start and, once all ranks have the memory open, again after it; and one run of a user starts at a time.
    """
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    with contextlib.ExitStack() as stack:
        if first:
            lock = stack.enter_context((Path(tempfile.gettempdir()) / f"engine-start-{os.getuid()}.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            _free_names()
        torch.distributed.barrier()
        yield
        torch.distributed.barrier()
        if first:
            _free_names()


def _free_names() -> None:
    """Memory that is open stays so; another user's stays as it is."""
    for path in SHARED_MEMORY.glob("*-cpushm_*"):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            path.unlink()


def _settings(spec: RolloutSpec, dtype: str, limit: int) -> dict[str, Any]:
    """The arguments of `vllm.LLM`, but for the model and its adapters."""
    options = spec.vllm
    settings: dict[str, Any] = {
        "skip_tokenizer_init": True,
        "load_format": "dummy",
        "generation_config": "vllm",  # none of the model's own
        "dtype": dtype,
        "max_model_len": limit,
        "max_num_seqs": options.sequences_at_once,
        "enable_prefix_caching": True,
        # A prompt is computed at once: where it is cut into pieces, vLLM draws for each and then turns the request's random
        # numbers back, which fails on a CPU and would make them depend on what else is under way.
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": max(limit, TOKENS_AT_ONCE),
        "logprobs_mode": "processed_logprobs",
        "tensor_parallel_size": options.tensor_parallel,
        "disable_log_stats": True,
        "seed": 0,
    }
    if torch.cuda.is_available():
        return settings | {
            "gpu_memory_utilization": options.memory_share,
            "enforce_eager": options.eager,
            "enable_sleep_mode": options.sleep,
        }
    return settings | {"enforce_eager": True, "kv_cache_memory_bytes": int(options.cpu_cache_gb * 2**30)}

"""How completions are sampled (`conf/rollout/*.yaml`); imports nothing heavy."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

ENGINES = ("native", "hf", "vllm", "scripted")
SYNCS = ("merged", "adapter")


@dataclass(frozen=True)
class VllmSpec:
    """Settings of `rollout.engine=vllm`.

    `maximum_prompt_tokens` and `rollout.maximum_new_tokens` together are the longest sequence it makes room for.
    `sequences_at_once` is how many it decodes together; more wait. `memory_share` is the share of a GPU's memory that
    it takes for weights and cache; `cpu_cache_gb` its cache where there is no GPU. `tensor_parallel` ranks
    (`distributed.processes` is a multiple of it) share one engine. `sleep` gives its GPU memory back between
    rounds. `eager` runs without CUDA graphs. `url` is that of a running server, which then samples instead; it reads the
    weights in `shared_folder`, which it and all ranks must see.
    """

    maximum_prompt_tokens: int = 1024
    sequences_at_once: int = 256
    memory_share: float = 0.4
    cpu_cache_gb: float = 1.0
    tensor_parallel: int = 1
    sleep: bool = True
    eager: bool = False
    url: str | None = None
    shared_folder: str | None = None

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = [
            f"rollout.vllm.{name} must be at least 1; got {getattr(self, name)}"
            for name in ("maximum_prompt_tokens", "sequences_at_once", "tensor_parallel")
            if getattr(self, name) < 1
        ]
        if not 0 < self.memory_share < 1:
            violations.append(
                f"rollout.vllm.memory_share must be in (0, 1), the rest is the trainer's; got {self.memory_share}"
            )
        if self.cpu_cache_gb <= 0:
            violations.append(f"rollout.vllm.cpu_cache_gb must be above 0; got {self.cpu_cache_gb}")
        if self.url is not None and self.shared_folder is None:
            violations.append(
                "rollout.vllm.shared_folder must be given with rollout.vllm.url: the server reads the weights there; "
                "give a folder that it and all ranks see"
            )
        return violations


@dataclass(frozen=True)
class RolloutSpec:
    """`engine` is `native` (our decoder; Llama, Qwen2 and Qwen3), `hf` (transformers' generate; any model), `vllm`, or `scripted`
    (the completions of the JSONL file `script`, for tests).

    `top_p` (1: off), `top_k` and `min_p` (0: off) cut the distribution that is sampled from (`src.rollout.engines.base.Sampling`).
    `sync` is how an engine that can takes over adapters: `merged` into the weights, or as they are (`adapter`).

    `probe_rows` rollouts of each rank and round are given to the trainer (0: none), whose log-probabilities may differ
    from the sampler's by `mismatch_limit` nats a token on average (null: 1e-3 in float32; in bfloat16 what rounding
    explains, `src.training.mismatch`). A round of
    rollouts that takes longer than `timeout_s` seconds ends the run.
    """

    engine: str = "native"
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    maximum_new_tokens: int = 96
    rows_at_once: int = 256
    sync: str = "merged"
    script: str | None = None
    probe_rows: int = 4
    mismatch_limit: float | None = None
    timeout_s: float = 7200.0
    vllm: VllmSpec = field(default_factory=VllmSpec)

    def identity(self) -> dict[str, Any]:
        """What rollouts depend on: a script by what is in it."""
        inputs = {"is": type(self).__name__} | asdict(self)
        if self.engine == "scripted":
            inputs["script"] = hashlib.sha256(Path(str(self.script)).read_bytes()).hexdigest()[:16]
        return inputs

    def at(self, temperature: float, top_p: float) -> RolloutSpec:
        """With another temperature and top_p; a temperature of 0 is greedy decoding, whose one token is the likeliest."""
        if temperature == 0:
            return replace(self, temperature=1.0, top_p=1.0, top_k=1, min_p=0.0)
        return replace(self, temperature=temperature, top_p=top_p)

    @property
    def truncates(self) -> list[str]:
        """The settings that keep some tokens from being sampled, as they are written."""
        off = {"top_p": 1.0, "top_k": 0, "min_p": 0.0}
        return [f"rollout.{name}={getattr(self, name)}" for name, value in off.items() if getattr(self, name) != value]

    def violations(self) -> list[str]:
        """Every broken rule as one sentence with the value and the fix; empty when all hold."""
        violations = []
        if self.engine not in ENGINES:
            violations.append(f"rollout.engine must be one of {', '.join(ENGINES)}; got {self.engine!r}")
        if self.temperature < 0:
            violations.append(f"rollout.temperature must be 0 (greedy) or more; got {self.temperature}")
        if not 0 < self.top_p <= 1:
            violations.append(f"rollout.top_p must be in (0, 1]; got {self.top_p}")
        if self.top_k < 0:
            violations.append(f"rollout.top_k must be 1 or more, or 0 for off; got {self.top_k}")
        if not 0 <= self.min_p < 1:
            violations.append(f"rollout.min_p must be in [0, 1), 0 being off; got {self.min_p}")
        if self.maximum_new_tokens < 1 or self.rows_at_once < 1:
            violations.append("rollout.maximum_new_tokens and rollout.rows_at_once must be at least 1")
        if self.sync not in SYNCS:
            violations.append(f"rollout.sync must be one of {', '.join(SYNCS)}; got {self.sync!r}")
        elif self.sync == "adapter" and (self.engine != "vllm" or self.vllm.url is not None):
            violations.append(
                f"rollout.sync=adapter needs rollout.engine=vllm in the same process; got {self.engine!r}"
                f"{'' if self.vllm.url is None else ' behind ' + self.vllm.url}. Use rollout.sync=merged"
            )
        if self.engine == "scripted" and (self.script is None or not Path(self.script).is_file()):
            violations.append(
                f"rollout.script must be a JSONL file of completions with rollout.engine=scripted; got {self.script!r}. "
                'Give one with lines {"text": ...}'
            )
        if self.probe_rows < 0:
            violations.append(f"rollout.probe_rows must be 1 or more, or 0 for off; got {self.probe_rows}")
        if self.mismatch_limit is not None and self.mismatch_limit <= 0:
            violations.append(
                f"rollout.mismatch_limit must be above 0, or null for that of the dtype; got {self.mismatch_limit}"
            )
        if self.timeout_s <= 0:
            violations.append(f"rollout.timeout_s must be above 0 seconds; got {self.timeout_s}")
        return violations + self.vllm.violations()

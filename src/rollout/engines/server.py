"""Rollouts by a running vLLM server, addressed by its URL: sampling on machines or GPUs of its own.

The server serves the folder `<rollout.vllm.shared_folder>/model`, which every load writes anew, and reads it again when
asked to; for that it runs in its development mode, so it belongs in a network of trusted machines. Rank 0 writes and
tells; all ranks ask.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from src.common.errors import UserError
from src.models.names import in_files
from src.rollout.engines.base import Rollout, Sampling, end_tokens
from src.rollout.engines.vllm import request_settings, untied, with_head
from src.rollout.spec import RolloutSpec


class ServerFailed(UserError):
    """The server is not there, or refused what it was asked."""


class ServerEngine:
    """See `src.rollout.engines.base.Engine`. `model` is the plain transformers model."""

    name = "vllm"
    probed = True
    positions: int | None = None

    def __init__(self, spec: RolloutSpec, model: Any, end: int | Sequence[int]) -> None:
        import httpx

        self.spec = spec
        self.ends = end_tokens(end)
        self.model = model
        self.config = untied(model)
        self.dtype = str(model.dtype).removeprefix("torch.")
        self.folder = Path(str(spec.vllm.shared_folder)).absolute() / "model"
        self.url = str(spec.vllm.url).rstrip("/")
        at_once = spec.vllm.sequences_at_once
        self.client = httpx.Client(
            timeout=spec.timeout_s, limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
        )

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Write the weights and have the server read them; on return it samples from them, for every rank."""
        main = _rank() == 0
        gathered: dict[str, Tensor] = {}
        for name, weight in with_head(in_files(self.model, weights)):  # by all ranks, who may hold only a part of each
            if main:
                gathered[name] = weight.cpu().contiguous()
        if main:
            self._write(gathered)
            self._post("/collective_rpc", {"method": "reload_weights", "kwargs": {"weights_path": str(self.folder)}})
            if not self._post("/reset_prefix_cache", None).get("success"):
                raise ServerFailed(
                    f"{self.url} must be free while it takes over weights; it is answering somebody else's requests. Give "
                    "each run a server of its own"
                )
        if torch.distributed.is_initialized():
            torch.distributed.barrier()

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """See `Engine.generate`. Up to `rollout.vllm.sequences_at_once` requests wait at the server at a time."""
        requests = [
            {"token_ids": list(prompt), "sampling_params": request_settings(sampling, self.ends, seed, index)}
            for prompt, seed in zip(prompts, seeds, strict=True)
            for index in range(completions)
        ]
        with ThreadPoolExecutor(self.spec.vllm.sequences_at_once) as pool:
            flat = list(pool.map(self._rollout, requests))
        return [flat[start : start + completions] for start in range(0, len(flat), completions)]

    def _rollout(self, request: dict[str, Any]) -> Rollout:
        (choice,) = self._post("/inference/v1/generate", request)["choices"]
        content = choice["logprobs"]["content"]
        tokens = [entry["token_id"] for entry in content]
        logprobs = torch.tensor([entry["logprob"] for entry in content], dtype=torch.float32)
        return Rollout(tokens, logprobs, not tokens or tokens[-1] not in self.ends)

    def _post(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        import httpx

        try:
            answer = self.client.post(self.url + path, json=body)
        except httpx.TransportError as error:
            raise ServerFailed(
                f"rollout.vllm.url must be that of a running server; {self.url} does not answer ({error!r}). Its model is "
                f"written; start it with\n  {self.command}\nand give the same command again"
            ) from None
        if answer.status_code != 200:
            raise ServerFailed(
                f"{self.url}{path} must answer with status 200; got {answer.status_code}: {answer.text[:300]}. Look at the "
                f"server's own messages; it is started with\n  {self.command}"
            )
        content: dict[str, Any] = answer.json() if answer.content else {}
        return content

    @property
    def command(self) -> str:
        """How the server is started."""
        longest = self.spec.vllm.maximum_prompt_tokens + self.spec.maximum_new_tokens
        return (
            f"VLLM_SERVER_DEV_MODE=1 vllm serve {self.folder} --enable-scale-out --skip-tokenizer-init --dtype {self.dtype} "
            f"--logprobs-mode processed_logprobs --generation-config vllm --max-model-len {longest} --max-num-seqs "
            f"{self.spec.vllm.sequences_at_once}"
        )

    def _write(self, weights: dict[str, Tensor]) -> None:
        """The folder that the server serves: sizes, and weights that are there as a whole or not at all."""
        from safetensors.torch import save_file

        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.save_pretrained(self.folder)
        partial = self.folder / "model.safetensors.partial"
        copied = {name: weight.clone() if name == "lm_head.weight" else weight for name, weight in weights.items()}
        save_file(copied, partial, metadata={"format": "pt"})
        os.replace(partial, self.folder / "model.safetensors")


def _rank() -> int:
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0

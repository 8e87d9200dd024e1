"""Rollouts by transformers' `generate`: slower, but for any causal language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from src.rollout.engines.base import Rollout, Sampling, by_length, draw, end_tokens, left_pad, length_until, uniforms


class HfEngine:
    """See `src.rollout.engines.base.Engine`. `model` is a model of the engine's own, not the one being trained."""

    name = "hf"
    probed = True
    positions: int | None = None

    def __init__(self, model: Any, end: int | Sequence[int], pad: int, rows_at_once: int) -> None:
        self.model = model.eval()
        self.ends = end_tokens(end)
        self.pad = pad
        self.rows_at_once = rows_at_once

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Copy the policy's weights; raises RuntimeError naming those that are missing or unexpected."""
        self.model.load_state_dict(weights)

    @torch.inference_mode()
    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        """See `Engine.generate`."""

        def generate_part(part: list[int]) -> list[list[Rollout]]:
            return self._generate([prompts[i] for i in part], [seeds[i] for i in part], completions, sampling)

        return by_length([len(prompt) for prompt in prompts], self.rows_at_once // completions, generate_part)

    def _generate(
        self, prompts: list[Sequence[int]], seeds: list[int], completions: int, sampling: Sampling
    ) -> list[list[Rollout]]:
        tokens, real = left_pad(prompts, self.pad)
        length = tokens.shape[1]
        mask = real.long()
        device = self.model.device
        budget = sampling.maximum_new_tokens
        pick = _Pick(torch.cat([uniforms(s, completions, budget) for s in seeds]).to(device), length, sampling)
        output = self.model.generate(
            input_ids=tokens.repeat_interleave(completions, 0).to(device),
            attention_mask=mask.repeat_interleave(completions, 0).to(device),
            max_new_tokens=budget,
            do_sample=False,  # `pick` samples and leaves one possible token
            eos_token_id=list(self.ends),
            pad_token_id=self.pad,
            logits_processor=[pick],
        )[:, length:].cpu()
        logprobs = torch.stack(pick.logprobs, dim=1).cpu()
        flat = []
        for row, logprob in zip(output.tolist(), logprobs, strict=True):
            size, ended = length_until(row, self.ends)
            flat.append(Rollout(row[:size], logprob[:size].clone(), not ended))
        return [flat[start : start + completions] for start in range(0, len(flat), completions)]


class _Pick:
    """A logits processor that samples with given random numbers and forbids every other token."""

    def __init__(self, random: Tensor, prompt_length: int, sampling: Sampling) -> None:
        self.random = random
        self.prompt_length = prompt_length
        self.sampling = sampling
        self.logprobs: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        step = input_ids.shape[1] - self.prompt_length
        tokens, logprobs = draw(scores.float(), self.random[:, step], self.sampling)
        self.logprobs.append(logprobs)
        return torch.full_like(scores, float("-inf")).scatter(-1, tokens[:, None], 0.0)

"""Prompts that several completions of a batch share, gone through once: keys and values of a prompt serve all its completions.

A group of K completions has K times the same prompt. Gradients through the shared keys and values add up over them, so that
nothing is approximated; values differ by rounding. It pays where prompts are not short beside completions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from src.models.architecture import unbuilt
from src.models.load import plain_model

WORTH = 0.9  # of the tokens that must be gone through otherwise, shared prompts are to leave at most so many


@dataclass(frozen=True)
class Prefixes:
    """The different prompts of a batch, padded on the left, so that all end in the last column. G prompts, B completions."""

    tokens: Tensor  # [G, P]
    mask: Tensor  # [G, P] 1 on tokens of the prompt
    owner: Tensor  # [B] the prompt of each completion

    def to(self, device: torch.device | str) -> Prefixes:
        return Prefixes(self.tokens.to(device), self.mask.to(device), self.owner.to(device))


def collate_prefixes(prompts: Sequence[Sequence[int]], pad: int) -> Prefixes:
    """The prompt of each completion, each different one once, in order of its first appearance."""
    place: dict[tuple[int, ...], int] = {}
    owner = [place.setdefault(tuple(prompt), len(place)) for prompt in prompts]
    width = max(len(prompt) for prompt in place)
    tokens = torch.full((len(place), width), pad, dtype=torch.long)
    mask = torch.zeros(len(place), width, dtype=torch.long)
    for row, prompt in enumerate(place):
        tokens[row, width - len(prompt) :] = torch.tensor(prompt, dtype=torch.long)
        mask[row, width - len(prompt) :] = 1
    return Prefixes(tokens, mask, torch.tensor(owner))


def can_share(model: Any) -> bool:
    """Whether the prompts of a model may be shared: a plain decoder, each of whose layers attends to everything before it, and
    which computes no layer twice, for then it keeps no keys and values."""
    plain = plain_model(model)
    return unbuilt(plain.config.to_dict()) is None and not getattr(plain, "is_gradient_checkpointing", False)


def shared_states(model: Any, prefixes: Prefixes, completions: Tensor) -> Tensor:
    """The states [B, C, H] that predict the tokens of `completions` [B, C], padded on the right: of the last token of the
    prompt, and of all but the last of the completion."""
    from transformers import DynamicCache

    plain = plain_model(model)
    body = plain.base_model
    before = prefixes.mask.cumsum(-1)  # [G, P]
    cache = DynamicCache(config=plain.config)
    ends = body(
        input_ids=prefixes.tokens,
        attention_mask=prefixes.mask,
        position_ids=(before - 1).clamp(min=0),
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state[:, -1]  # [G, H]
    first: Tensor = ends[prefixes.owner, None]  # [B, 1, H]
    if completions.shape[1] == 1:
        return first
    cache.batch_select_indices(prefixes.owner)
    given = completions[:, :-1]
    mask = torch.cat([prefixes.mask[prefixes.owner], torch.ones_like(given)], dim=1)
    places = torch.arange(given.shape[1], device=given.device)
    rest = body(
        input_ids=given,
        attention_mask=mask,
        position_ids=before[prefixes.owner, -1:] + places,
        past_key_values=cache,
        use_cache=True,
    ).last_hidden_state  # [B, C - 1, H]
    return torch.cat([first, rest], dim=1)


def shared_microbatches(
    prompts: Sequence[Sequence[int]], completions: Sequence[int], tokens_per_microbatch: int
) -> list[list[int]] | None:
    """Indices in micro-batches whose prompts are shared, each of at most `tokens_per_microbatch` tokens with padding counted;
    None where whole sequences are hardly more to go through.

    Rows come by length or group by group, whichever makes fewer tokens: by length there is little padding, by group a prompt is
    gone through seldom.

    Args:
        completions: how long each is.
    """
    place: dict[tuple[int, ...], int] = {}
    owner = [place.setdefault(tuple(prompt), len(place)) for prompt in prompts]
    rank = {key: number for number, key in enumerate(sorted(place))}
    by_content = [rank[key] for key in place]  # so that the order does not depend on who comes first
    longest = [0] * len(place)
    for prompt, length in zip(owner, completions, strict=True):
        longest[prompt] = max(longest[prompt], length)
    rows = range(len(owner))
    by_length = sorted(rows, key=lambda i: (completions[i], by_content[owner[i]], i))
    by_group = sorted(rows, key=lambda i: (longest[owner[i]], by_content[owner[i]], completions[i], i))
    widths = [len(prompt) for prompt in place]
    cuts = (_cut(owner, widths, completions, order, tokens_per_microbatch) for order in (by_length, by_group))
    parts, tokens = min(cuts, key=lambda cut: cut[1])
    whole = sum(map(len, prompts)) + sum(completions)
    return parts if tokens <= WORTH * whole else None


def _cut(
    owner: Sequence[int], widths: Sequence[int], completions: Sequence[int], order: Sequence[int], most: int
) -> tuple[list[list[int]], int]:
    """The rows, as they come in `order`, in micro-batches of at most `most` tokens, and the tokens of all, padding counted.

    Args:
        owner: the prompt of each row. widths: the length of each prompt.
    """
    parts: list[list[int]] = []
    sizes: list[int] = []
    prompts: set[int] = set()  # of the last part, as are the two lengths
    prompt = completion = 0
    for index in order:
        many = len(prompts) + (owner[index] not in prompts)
        wide, long = max(prompt, widths[owner[index]]), max(completion, completions[index])
        if parts and (size := many * wide + (len(parts[-1]) + 1) * long) <= most:
            parts[-1].append(index)
            sizes[-1] = size
        else:
            wide, long, prompts = widths[owner[index]], completions[index], set()
            parts.append([index])
            sizes.append(wide + long)
        prompts.add(owner[index])
        prompt, completion = wide, long
    return parts, sum(sizes)

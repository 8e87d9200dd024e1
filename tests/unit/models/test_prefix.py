"""Prompts that completions share are gone through once: the numbers and gradients of whole sequences, and fewer tokens."""

import pytest
import torch

from src.models import fused
from src.models.load import add_lora, checkpointed
from src.models.logprobs import collate, completion_logprobs
from src.models.prefix import can_share, collate_prefixes, shared_microbatches
from src.models.spec import LoraSpec
from tests.helpers import families

PROMPTS = [[3, 4, 5, 6, 7], [8, 9], [3, 4, 5, 6, 7], [8, 9], [10]]  # two groups of two, and one alone
COMPLETIONS = [[11, 12, 13], [14], [15, 16, 17, 18], [], [19, 20]]


def test_each_prompt_once_on_the_left_padded():
    prefixes = collate_prefixes([[3, 4], [5], [3, 4]], pad=0)
    assert prefixes.tokens.tolist() == [[3, 4], [0, 5]] and prefixes.mask.tolist() == [[1, 1], [0, 1]]
    assert prefixes.owner.tolist() == [0, 1, 0]


def results(family, rank, share, way):
    """Log-probabilities, entropies and gradients of their weighted sum."""
    torch.manual_seed(0)
    model = add_lora(families.model(family), LoraSpec(rank=rank, alpha=4))
    batch = collate(PROMPTS, COMPLETIONS, 0, share)
    weights = torch.arange(1.0, 1 + batch.mask.numel()).view_as(batch.mask)

    def goal(logprobs, entropies):
        return (weights * (logprobs + 0.5 * entropies)).sum()

    if way == "fused":
        _, logprobs, entropies = fused.learn_fused(model, batch, goal, 0.8, "gradient")
    else:
        logprobs, entropies = completion_logprobs(model, batch, 0.8, "gradient")
        goal(logprobs, entropies).backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return logprobs.detach(), entropies.detach(), gradients


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize(("rank", "way"), [(0, "plain"), (0, "fused"), (2, "plain")])
def test_numbers_and_gradients_are_those_of_whole_sequences(family, rank, way):
    whole, shared = (results(family, rank, share, way) for share in (False, True))
    assert whole[2].keys() == shared[2].keys() and max(float(g.abs().max()) for g in whole[2].values()) > 0.1
    for one, two in zip(shared[:2], whole[:2], strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
    for name, gradient in whole[2].items():
        size = float(gradient.abs().max())
        torch.testing.assert_close(shared[2][name], gradient, atol=1e-4 * max(size, 1.0), rtol=1e-4, msg=name)


def test_a_batch_of_nothing_but_empty_completions():
    model = families.model("qwen3")
    batch = collate([[3, 4], [3, 4]], [[], []], 0, share=True)
    value, logprobs, _ = fused.learn_fused(model, batch, lambda logprobs, entropies: logprobs.sum(), 1.0, "value")
    assert float(value) == 0.0 and not logprobs.any()
    assert not any(p.grad.any() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize(("family", "shares"), [("llama", True), ("mistral", False), ("gemma2", False), ("opt", False)])
def test_plain_decoders_alone_share(family, shares):
    assert can_share(families.model(family)) is shares


def test_a_model_that_computes_layers_twice_does_not_share():
    assert not can_share(checkpointed(families.model("llama")))


def test_rows_come_by_length_where_prompts_are_short_and_by_group_where_they_are_long():
    """Two groups of completions of 1, 1, 6, 6 tokens. Prompts of 3 tokens, 30 a micro-batch: by length 2x3 + 4x1 and
    2x3 + 4x6 are 40 tokens, by group 3 + 4x6 twice are 54. Prompts of 20, 60 a micro-batch: by length 2x20 + 4x1,
    2x20 + 3x6 and 20 + 6 are 128, by group 20 + 4x6 twice are 88."""
    lengths = [1, 1, 6, 6] * 2
    short = [[1] * 3] * 4 + [[2] * 3] * 4
    assert shared_microbatches(short, lengths, 30) == [[0, 1, 4, 5], [2, 3, 6, 7]]
    long = [[1] * 20] * 4 + [[2] * 20] * 4
    assert shared_microbatches(long, lengths, 60) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_where_little_is_saved_sequences_stay_whole():
    assert shared_microbatches([[1], [1]], [50, 50], 1000) is None  # 101 tokens of 102
    assert shared_microbatches([[1, 2], [3, 4]], [5, 5], 1000) is None  # nothing is shared

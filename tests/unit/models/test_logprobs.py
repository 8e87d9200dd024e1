"""Log-probabilities in chunks of tokens and vocabulary: the numbers and gradients of the plain way, in flat memory."""

import pytest
import torch

from src.models import logprobs, vocabulary
from src.models.head import Head
from src.models.load import add_lora
from src.models.logprobs import collate, completion_logprobs, whole_logprobs
from src.models.spec import LoraSpec
from src.models.vocabulary import chunked_logprobs
from tests.helpers import tiny
from tests.helpers.allocations import Allocations

COUNT, WIDTH, WORDS = 23, 8, 61


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks that divide neither the tokens nor the vocabulary."""
    monkeypatch.setattr(vocabulary, "TOKENS_AT_ONCE", 7)
    monkeypatch.setattr(vocabulary, "WORDS_AT_ONCE", 16)
    monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", 0)


def values_and_gradients(way, temperature, entropy, dtype=torch.float32, frozen=False):
    """Log-probabilities, entropies, and the gradients of a weighted sum of both."""
    torch.manual_seed(0)
    states, weight = 3 * torch.randn(COUNT, WIDTH), torch.randn(WORDS, WIDTH)
    targets, first, second = torch.randint(0, WORDS, (COUNT,)), torch.randn(COUNT), torch.randn(COUNT)
    states = states.to(dtype).requires_grad_()
    head = torch.nn.Linear(WIDTH, WORDS, bias=False).to(dtype)
    head.weight.data.copy_(weight)
    head.weight.requires_grad_(not frozen)
    if way == "whole":
        values, entropies = whole_logprobs(Head(head), states, targets, temperature, entropy)
    else:
        values, entropies = chunked_logprobs(states, head.weight, targets, temperature, entropy)
    ((values * first).sum() + (entropies * second).sum()).backward()
    return values.detach(), entropies.detach(), states.grad, head.weight.grad


def test_two_words_by_hand():
    """Logits (ln 3, 0) / 1: p = (3/4, 1/4); the gradient of log p(0) by h is W_0 - sum p W = 1/4 (W_0 - W_1)."""
    states = torch.ones(1, 1, requires_grad=True)
    weight = torch.tensor([[torch.tensor(3.0).log()], [0.0]])
    values, entropies = chunked_logprobs(states, weight, torch.tensor([0]), 1.0)
    values.sum().backward()
    expected = -(0.75 * torch.tensor(0.75).log() + 0.25 * torch.tensor(0.25).log())
    torch.testing.assert_close(values.detach().exp(), torch.tensor([0.75]))
    torch.testing.assert_close(entropies, expected[None])
    torch.testing.assert_close(states.grad, 0.25 * weight[:1])


@pytest.mark.parametrize("temperature", [1.0, 0.8])
@pytest.mark.parametrize("entropy", ["none", "value", "gradient"])
def test_chunks_give_the_numbers_and_gradients_of_the_whole(small_chunks, temperature, entropy):
    for whole, chunks in zip(
        values_and_gradients("whole", temperature, entropy),
        values_and_gradients("chunked", temperature, entropy),
        strict=True,
    ):
        torch.testing.assert_close(chunks, whole, atol=1e-5, rtol=1e-5)


def test_a_frozen_head_has_no_gradient_and_the_states_have_the_same(small_chunks):
    _, _, states, weight = values_and_gradients("chunked", 0.8, "gradient", frozen=True)
    assert weight is None
    torch.testing.assert_close(states, values_and_gradients("whole", 0.8, "gradient")[2], atol=1e-5, rtol=1e-5)


def test_weights_in_bfloat16_are_reduced_in_float32(small_chunks):
    """Logits are rounded in both ways alike, so the values agree to float32; gradients to bfloat16."""
    whole = values_and_gradients("whole", 0.8, "value", torch.bfloat16)
    chunks = values_and_gradients("chunked", 0.8, "value", torch.bfloat16)
    assert chunks[0].dtype == chunks[1].dtype == torch.float32 and chunks[2].dtype == torch.bfloat16
    for one, two in zip(chunks[:2], whole[:2], strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
    for one, two in zip(chunks[2:], whole[2:], strict=True):
        torch.testing.assert_close(one, two, atol=0.05, rtol=0.02)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("rank", [0, 2])
def test_a_whole_model_learns_the_same(small_chunks, monkeypatch, kind, tied, rank):
    batch = collate([[3, 4], [5]], [[5, 6, 7], [8, 9]], pad=0)
    gradients = []
    for limit in (10**9, 0):
        monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", limit)
        torch.manual_seed(0)
        model = add_lora(tiny.model(kind, tied=tied), LoraSpec(rank=rank, alpha=4))
        values, entropy = completion_logprobs(model, batch, 0.8, entropy="gradient")
        (values.sum() + entropy.sum()).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.requires_grad})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=2e-4, rtol=1e-4, msg=name)


def test_memory_does_not_depend_on_the_vocabulary():
    """512 tokens: 64,000 words take no more than 16,000, and a quarter of the plain way's share of them."""

    def peak(way, words):
        head = torch.nn.Linear(16, words, bias=False).requires_grad_(False)
        states = torch.randn(512, 16, requires_grad=True)
        with Allocations() as seen:
            targets = torch.arange(512)
            if way == "whole":
                values, _ = whole_logprobs(Head(head), states, targets, 0.8)
            else:
                values, _ = chunked_logprobs(states, head.weight, targets, 0.8)
            values.sum().backward()
        return seen.peak

    assert peak("chunked", 64_000) <= 1.01 * peak("chunked", 16_000)
    assert peak("chunked", 64_000) < peak("whole", 64_000) / 4


def test_the_entropy_has_a_gradient_only_when_asked(monkeypatch):
    model, batch = tiny.model(), collate([[3]], [[5]], pad=0)
    for limit in (10**9, 0):
        monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", limit)
        assert not completion_logprobs(model, batch)[1].requires_grad
        assert completion_logprobs(model, batch, entropy="gradient")[1].requires_grad
        assert completion_logprobs(model, batch, entropy="none")[1].tolist() == [[0.0]]

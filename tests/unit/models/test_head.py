"""Log-probabilities of models that do something to their logits: those of their own forward pass, on every path."""

import pytest
import torch
from torch import nn

from src.models import fused, head, logprobs, vocabulary
from src.models.head import Head, head_of
from src.models.load import add_lora
from src.models.logprobs import collate, completion_logprobs, whole_logprobs
from src.models.spec import LoraSpec
from src.models.vocabulary import chunked_logprobs
from tests.helpers import families, tiny

BATCH = collate([[9, 10, 11], [12]], [[13, 14, 15, 16], [17, 18]], pad=8)
EXPECTED = {"granite": (0.125, None), "cohere": (0.25, None), "cohere2": (0.25, None), "gemma2": (1.0, 5.0)}


def by_itself(model, batch, temperature=1.0):
    """Log-probabilities and entropies [B, C] from the logits that the model gives."""
    logp = torch.log_softmax(model(input_ids=batch.tokens).logits.float() / temperature, -1)
    logp = logp[torch.arange(len(batch.tokens))[:, None], batch.positions]  # [B, C, V]
    chosen = logp.gather(-1, batch.targets[..., None]).squeeze(-1)
    return chosen * batch.mask, -(logp.exp() * logp).sum(-1) * batch.mask


def gradients(model, values):
    for parameter in model.parameters():
        parameter.grad = None
    (values[0].sum() + 0.5 * values[1].sum()).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", families.FAMILIES)
@pytest.mark.parametrize("limit", [10**9, 0])
def test_every_family_has_the_log_probabilities_of_its_own_forward_pass(monkeypatch, family, limit):
    """Whole and in chunks, with a temperature; gradients of log-probabilities and entropies too."""
    monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", limit)
    monkeypatch.setattr(vocabulary, "TOKENS_AT_ONCE", 4)
    monkeypatch.setattr(vocabulary, "WORDS_AT_ONCE", 100)
    model = families.model(family)
    expected = by_itself(model, BATCH, 0.7)
    wanted = gradients(model, expected)
    actual = completion_logprobs(model, BATCH, 0.7, "gradient")
    for one, two in zip(actual, expected, strict=True):
        torch.testing.assert_close(one, two, atol=2e-5, rtol=1e-5)
    made = gradients(model, actual)
    assert made.keys() == wanted.keys()
    for name, gradient in wanted.items():
        torch.testing.assert_close(made[name], gradient, atol=5e-5, rtol=1e-3, msg=name)


@pytest.mark.parametrize("family", families.TRANSFORMED)
@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_follows_the_head_is_measured(family, rank, dtype):
    model = add_lora(families.model(family).to(dtype), LoraSpec(rank=rank, alpha=4))
    plain = model.get_base_model() if rank else model
    measured = head_of(plain)
    assert (measured.scale, measured.cap) == EXPECTED[family] and not plain.training


def test_a_plain_model_has_a_plain_head():
    measured = head_of(tiny.model())
    assert (measured.scale, measured.cap, measured.plain) == (1.0, None, True)


def test_a_model_is_measured_once(monkeypatch):
    model = tiny.model()
    first = head_of(model)
    monkeypatch.setattr(head, "_measure", lambda plain: pytest.fail("measured again"))
    assert head_of(model) is first


class Scaled(nn.Module):
    """A body whose states are multiplied by `before`, and a projection whose logits `after` changes."""

    def __init__(self, before=1.0, after=lambda logits: logits, bias=False):
        super().__init__()
        self.inner = tiny.model("qwen2", tied=False)
        if bias:
            weight = self.inner.lm_head.weight
            self.inner.lm_head = nn.Linear(weight.shape[1], weight.shape[0])
        self.config, self.before, self.after = self.inner.config, before, after
        self.device = torch.device("cpu")

    @property
    def base_model(self):
        return self.inner.model

    def get_output_embeddings(self):
        return self.inner.lm_head

    def forward(self, input_ids, use_cache=False):
        from types import SimpleNamespace

        states = self.inner.model(input_ids=input_ids, use_cache=use_cache).last_hidden_state
        return SimpleNamespace(logits=self.after(self.inner.lm_head(states * self.before)))


@pytest.mark.parametrize("before", [1.0, 0.25])
@pytest.mark.parametrize(
    ("after", "known"),
    [
        (lambda z: z, True),
        (lambda z: z / 3.0, True),
        (lambda z: 30.0 * torch.tanh(z * 0.5 / 30.0), True),
        (lambda z: z.clamp(min=-1.0), False),
        (lambda z: torch.where(torch.arange(z.shape[-1]) == 3, -100.0, z), False),
    ],
)
@pytest.mark.parametrize("bias", [False, True])
def test_any_model_has_the_log_probabilities_of_its_own_forward_pass(before, after, known, bias):
    """Those that are no scaled and bounded projection are asked for their logits."""
    model = Scaled(before, after, bias)
    assert (head_of(model) is not None) == (known and not (bias and before != 1.0))
    batch = collate([[3, 4], [5]], [[6, 7, 3], [8]], pad=0)
    for one, two in zip(completion_logprobs(model, batch, 0.8), by_itself(model, batch, 0.8), strict=True):
        torch.testing.assert_close(one, two.detach(), atol=2e-5, rtol=1e-5, check_dtype=False)


def test_a_bounded_head_by_hand(monkeypatch):
    """z = (2, 0) bounded by 2 is (2 tanh 1, 0); d log p(0) / dz_0 = (1 - p_0) (1 - tanh^2 1)."""
    states, weight = torch.ones(1, 1, requires_grad=True), torch.tensor([[2.0], [0.0]])
    values, _ = chunked_logprobs(states, weight, torch.tensor([0]), 1.0, cap=2.0)
    values.sum().backward()
    bent = torch.tensor(1.0).tanh()
    share = torch.sigmoid(2 * bent)
    torch.testing.assert_close(values.detach().exp(), share[None])
    torch.testing.assert_close(states.grad, 2.0 * ((1 - share) * (1 - bent**2)).view(1, 1))


@pytest.mark.parametrize("entropy", ["none", "value", "gradient"])
@pytest.mark.parametrize("frozen", [True, False])
def test_chunks_give_the_numbers_and_gradients_of_a_whole_bounded_head(monkeypatch, entropy, frozen):
    monkeypatch.setattr(vocabulary, "TOKENS_AT_ONCE", 7)
    monkeypatch.setattr(vocabulary, "WORDS_AT_ONCE", 16)
    results = []
    for way in ("whole", "chunked"):
        torch.manual_seed(0)
        states, projection = (3 * torch.randn(23, 8)).requires_grad_(), nn.Linear(8, 61, bias=False)
        projection.weight.data.normal_()
        projection.weight.requires_grad_(not frozen)
        targets, first, second = torch.randint(0, 61, (23,)), torch.randn(23), torch.randn(23)
        made = Head(projection, 0.5, 3.0)
        if way == "whole":
            values = whole_logprobs(made, states, targets, 0.8, entropy)
        else:
            values = chunked_logprobs(states, made.weight, targets, made.temperature(0.8), entropy, made.bound(0.8))
        ((values[0] * first).sum() + (values[1] * second).sum()).backward()
        results.append([*values, states.grad, *([] if frozen else [projection.weight.grad])])
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(("family", "fuses"), [("granite", True), ("gemma2", False), ("phi", False)])
def test_a_scaled_head_learns_chunk_by_chunk_and_a_bounded_one_does_not(monkeypatch, family, fuses):
    monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", 0)
    model = families.model(family)
    monkeypatch.setattr(fused, "LOGITS_AT_ONCE", 3 * model.config.vocab_size)
    assert fused.can_fuse(model) is fuses
    if not fuses:
        return
    values = by_itself(model, BATCH, 0.7)
    wanted = gradients(model, values)
    for parameter in model.parameters():
        parameter.grad = None
    total, new, _ = fused.learn_fused(
        model, BATCH, lambda logp, entropy: logp.sum() + 0.5 * entropy.sum(), 0.7, "gradient"
    )
    torch.testing.assert_close(new, values[0].detach(), atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(total, (values[0].sum() + 0.5 * values[1].sum()).detach(), atol=1e-4, rtol=1e-5)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name], atol=5e-5, rtol=1e-3, msg=name)

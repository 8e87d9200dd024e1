"""Learning through a trained head in chunks of tokens: the numbers and gradients of plain autograd, in flat memory."""

import pytest
import torch

from src.algorithm.losses import PolicyObjective, token_weights
from src.algorithm.spec import LossSpec
from src.distributed.ranks import Ranks
from src.distributed.spec import OptimiserSpec
from src.models import fused, logprobs, vocabulary
from src.models.fused import can_fuse, learn_fused
from src.models.load import add_lora
from src.models.logprobs import collate
from src.models.spec import LoraSpec
from src.training.learner import Learner
from src.training.supervised import Row, backward
from tests.helpers import tiny
from tests.helpers.allocations import Allocations

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
LOSSES = {
    "clipped": LossSpec(clip_low=0.1, clip_high=0.1, kl_coefficient=0.05, entropy_coefficient=0.1, importance_cap=1.1),
    "cispo": LossSpec(
        surrogate="cispo", clip_high=0.1, aggregation="sequence_mean", kl_coefficient=0.05, kl_estimator="k2"
    ),
    "no entropy": LossSpec(kl_coefficient=0.0),
}


@pytest.fixture
def small_chunks(monkeypatch):
    """The large-vocabulary path everywhere; chunks of three tokens, of which two at a time are normalised."""
    monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", 0)
    words = tiny.model().config.vocab_size
    monkeypatch.setattr(fused, "LOGITS_AT_ONCE", 3 * words)
    monkeypatch.setattr(fused, "BLOCK", 2 * words)
    monkeypatch.setattr(vocabulary, "TOKENS_AT_ONCE", 3)


def learner(model):
    return Learner(model, OptimiserSpec(learning_rate=0.001), Ranks())


def model(kind, tied, dtype=torch.float32):
    torch.manual_seed(0)
    return tiny.model(kind, tied=tied).to(dtype)


def micro_batches(words):
    """Two, of random completions of random lengths, one of them empty."""
    generator = torch.Generator().manual_seed(1)
    lengths = [[5, 0, 3, 1], [4, 2]]
    return [
        collate(
            [torch.randint(words, (2 + row,), generator=generator).tolist() for row in range(len(batch_lengths))],
            [torch.randint(words, (length,), generator=generator).tolist() for length in batch_lengths],
            pad=0,
        )
        for batch_lengths in lengths
    ]


def objective(spec, batch, near, seed):
    """Constants near the log-probabilities that the model gives, so that some ratios are clipped and others are not."""
    generator = torch.Generator().manual_seed(seed)

    def noise(size):
        return size * torch.randn(batch.mask.shape, generator=generator, dtype=near.dtype) * batch.mask

    advantage = torch.randn(len(batch.mask), generator=generator, dtype=near.dtype)
    weights = token_weights(batch.mask, spec.aggregation, 15, 6, spec.maximum_tokens)
    old, reference = near + noise(0.2), near + noise(0.5) if spec.kl_coefficient else None
    return PolicyObjective(spec, old, old + noise(0.2), reference, advantage, batch.mask, weights)


def plain(made, batch, temperature):
    """Log-probabilities and entropies [B, C] from all logits of the model, by autograd."""
    logp = torch.log_softmax(made(input_ids=batch.tokens).logits / temperature, -1)
    logp = logp[torch.arange(len(batch.tokens))[:, None], batch.positions]  # [B, C, V]
    chosen = logp.gather(-1, batch.targets[..., None]).squeeze(-1)
    return chosen * batch.mask, -(logp.exp() * logp).sum(-1) * batch.mask


def close(actual, expected, tolerance):
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance, check_dtype=False)


@pytest.mark.parametrize("kind", ["qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_numbers_and_gradients_are_those_of_plain_autograd(small_chunks, kind, tied, dtype, loss, temperature):
    """Two micro-batches, so that the second adds to gradients that are there."""
    spec, straight, ours = LOSSES[loss], model(kind, tied, dtype), model(kind, tied, dtype)
    for seed, batch in enumerate(micro_batches(straight.config.vocab_size)):
        new, entropies = plain(straight, batch, temperature)
        goal = objective(spec, batch, new.detach(), seed)
        value = goal(new, entropies)
        value.backward()
        assert can_fuse(ours)
        entropy = "gradient" if spec.entropy_coefficient else "value"
        fused_results = learn_fused(ours, batch, goal, temperature, entropy)
        assert not any(part.requires_grad for part in fused_results)
        for one, two in zip(fused_results, (value, new, entropies), strict=True):
            close(one, two.detach(), TOLERANCE[dtype])
        clipped = ((goal.ratio(new) - 1).abs() > spec.clip_high).float().sum()
        assert 0 < clipped < batch.mask.sum()
    named = dict(ours.named_parameters())
    assert max(float(p.grad.abs().max()) for p in named.values()) > 0.01
    for name, parameter in straight.named_parameters():
        close(named[name].grad, parameter.grad, TOLERANCE[dtype])


@pytest.mark.parametrize("tied", [True, False])
def test_micro_batches_add_up(small_chunks, monkeypatch, tied):
    """Supervised learning, cut into micro-batches of different sizes, and whole without chunks."""
    rows = [Row([3, 4 + n], list(range(5, 8 + 2 * n))) for n in range(4)]
    gradients = []
    for limit, per_microbatch in ((10**9, 1000), (0, 1000), (0, 12)):
        monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", limit)
        made = model("qwen2", tied)
        loss = backward(learner(made), rows, 24, per_microbatch, pad=0)
        gradients.append({"loss": torch.tensor(loss)} | {name: p.grad for name, p in made.named_parameters()})
    for chunked in gradients[1:]:
        for name, expected in gradients[0].items():
            close(chunked[name], expected, 1e-5)


def test_who_is_fused(small_chunks, monkeypatch):
    """A trained head in float32, where tokens are independent; all others through autograd."""
    calls = []
    monkeypatch.setattr("src.training.learner.learn_fused", lambda *given: calls.append(given) or learn_fused(*given))
    batch = collate([[3]], [[5, 6]], pad=0)

    def asked(made, by_token=True):
        calls.clear()
        value, new, _ = learner(made).learn(batch, lambda new, _: new.sum(), by_token=by_token)
        assert value == pytest.approx(float(new.sum())) and not new.requires_grad
        return len(calls)

    assert asked(model("qwen2", False)) == 1
    assert asked(model("qwen2", False), by_token=LossSpec(ratio="sequence").by_token) == 0
    assert asked(model("qwen2", False, torch.bfloat16)) == 0
    assert asked(add_lora(model("qwen2", False), LoraSpec(rank=2))) == 0


def test_memory_is_the_gradient_and_does_not_depend_on_the_vocabulary(monkeypatch):
    """256 tokens: of a first micro-batch only the head's gradient grows with the words, of a second nothing."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    def peaks(words, whole=False):
        made = Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=words,
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                num_key_value_heads=2,
                tie_word_embeddings=False,
            )
        ).eval()
        made.model.embed_tokens.weight.requires_grad_(False)
        monkeypatch.setattr(logprobs, "LOGITS_AT_ONCE", 10**9 if whole else 0)
        batch = collate([[1]] * 2, [list(range(128))] * 2, pad=0)
        measured = []
        for _ in range(2):
            with Allocations() as seen:
                learner(made).learn(batch, lambda new, _: new.mean(), 0.8, by_token=not whole)
            measured.append(seen.peak)
        return measured

    monkeypatch.setattr(fused, "LOGITS_AT_ONCE", 2**18)
    monkeypatch.setattr(fused, "BLOCK", 2**16)
    small, large = peaks(2**14), peaks(2**16)
    assert large[1] <= 1.01 * small[1]
    assert abs(large[0] - small[0] - (2**16 - 2**14) * 16 * 4) <= 0.01 * small[1]
    first, second = peaks(2**16, whole=True)
    assert large[0] < first / 4 and large[1] < second / 4

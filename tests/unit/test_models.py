"""Log-probabilities, micro-batches, adapters and saving."""

import pytest
import tiny
import torch

from src.models import logprobs as module
from src.models.load import ModelNotFound, add_lora, load_model, policy_weights
from src.models.logprobs import collate, completion_logprobs, microbatches
from src.models.spec import LoraSpec, ModelSpec


def test_collate_points_each_target_at_the_position_before_it():
    batch = collate([[7, 8], [9]], [[3], [4, 5]], pad=0)
    assert batch.tokens.tolist() == [[7, 8, 3], [9, 4, 5]]
    assert batch.targets.tolist() == [[3, 0], [4, 5]]
    assert batch.mask.tolist() == [[1, 0], [1, 1]]
    assert batch.positions.tolist() == [[1, 0], [0, 1]]


def test_logprobs_equal_a_plain_forward_pass_and_do_not_depend_on_padding():
    model = tiny.model()
    alone = collate([[3, 4]], [[5, 6]], pad=0)
    padded = collate([[3, 4], [9, 9, 9, 9]], [[5, 6], [7] * 6], pad=0)
    with torch.no_grad():
        one, _ = completion_logprobs(model, alone)
        two, _ = completion_logprobs(model, padded)
        plain = model(torch.tensor([[3, 4, 5, 6]])).logits.log_softmax(-1)
    expected = torch.stack([plain[0, 1, 5], plain[0, 2, 6]])
    torch.testing.assert_close(one[0], expected)
    torch.testing.assert_close(two[0, :2], expected)


def test_pieces_of_the_vocabulary_projection_change_nothing(monkeypatch):
    model = tiny.model()
    batch = collate([[3, 4], [5]], [[5, 6, 7], [8, 9]], pad=0)
    whole, _ = completion_logprobs(model, batch)
    whole.sum().backward()
    gradient = model.model.embed_tokens.weight.grad.clone()
    model.zero_grad()
    monkeypatch.setattr(module, "LOGITS_AT_ONCE", 100)  # two positions at a time
    pieces, _ = completion_logprobs(model, batch)
    pieces.sum().backward()
    torch.testing.assert_close(pieces, whole)
    torch.testing.assert_close(model.model.embed_tokens.weight.grad, gradient)


def test_the_entropy_has_a_gradient_only_when_asked():
    model = tiny.model()
    batch = collate([[3]], [[5]], pad=0)
    assert not completion_logprobs(model, batch)[1].requires_grad
    assert completion_logprobs(model, batch, entropy_gradient=True)[1].requires_grad


def test_microbatches_hold_the_limit_with_padding_counted():
    assert microbatches([5, 1, 3, 9], 6) == [[1, 2], [0], [3]]  # 2 x 3 = 6; 5; 9 is too long and goes alone


def test_policy_weights_fold_adapters_in_without_touching_them():
    plain = tiny.model("qwen2")
    torch.manual_seed(0)
    adapted = add_lora(tiny.model("qwen2"), LoraSpec(rank=4, alpha=8))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_()
    before = {name: tensor.clone() for name, tensor in adapted.state_dict().items()}
    plain.load_state_dict(policy_weights(adapted))
    tokens = torch.tensor([[3, 4, 5]])
    with torch.no_grad():
        torch.testing.assert_close(plain(tokens).logits, adapted(tokens).logits, atol=1e-4, rtol=1e-4)
    assert all(torch.equal(before[name], tensor) for name, tensor in adapted.state_dict().items())


def test_a_missing_model_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelNotFound, match="no such model folder"):
        load_model(tmp_path / "nowhere", ModelSpec())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelNotFound, match="must hold config.json"):
        load_model(tmp_path / "empty", ModelSpec())

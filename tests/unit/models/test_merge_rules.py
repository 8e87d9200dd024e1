"""Every merge rule on tensors small enough to be merged by hand."""

import math

import pytest
import torch

from src.models.merge.base import Chunk, Place
from src.models.merge.dare import Dare
from src.models.merge.layer_swap import LayerSwap
from src.models.merge.linear import Linear
from src.models.merge.task_arithmetic import TaskArithmetic
from src.models.merge.ties import Ties
from src.models.merge.trim import trims

PLACE = Place("model.layers.0.mlp.up_proj.weight", 0, 4)
BASE = torch.tensor([0.0, 1.0, 2.0, -1.0])
ONE = torch.tensor([1.0, 1.5, 2.0, -3.0])  # task vector 1, 0.5, 0, -2
TWO = torch.tensor([3.0, 0.0, 2.5, -0.5])  # task vector 3, -1, 0.5, 0.5


def test_linear_is_the_weighted_mean():
    assert Linear()(PLACE, None, [ONE, TWO]).tolist() == [2.0, 0.75, 2.25, -1.75]
    # (3 x ONE + TWO) / 4
    assert Linear(weights=[3, 1])(PLACE, None, [ONE, TWO]).tolist() == [1.5, 1.125, 2.125, -2.375]
    assert torch.equal(Linear(weights=[0, 2])(PLACE, None, [ONE, TWO]), TWO)


def test_the_mean_of_a_model_with_itself_is_the_model_bit_for_bit():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    for weights in ([], [0.1, 0.7, 3.0]):
        merged = Linear(weights=weights)(PLACE, None, [values] * 3)
        assert torch.equal(merged, values)


def test_task_arithmetic_adds_scaled_task_vectors():
    merged = TaskArithmetic(weights=[1, 2], scale=0.5)(PLACE, BASE, [ONE, TWO])
    # base + (tau_1 + 2 tau_2) / 2 = base + [7, -1.5, 1, -1] / 2
    assert merged.tolist() == [3.5, 0.25, 2.5, -1.5]
    assert TaskArithmetic(weights=[-1])(PLACE, BASE, [ONE]).tolist() == [-1.0, 0.5, 2.0, 1.0]
    assert torch.equal(TaskArithmetic(scale=0.0)(PLACE, BASE, [ONE, TWO]), BASE)


def test_ties_trims_elects_a_sign_and_averages_those_that_agree():
    # k = 2: tau_1 -> 1, 0, 0, -2; tau_2 -> 3, -1, 0, 0. Signs +, -, +, -. Means 2, -1, none, -2.
    assert Ties(density=0.5)(PLACE, BASE, [ONE, TWO]).tolist() == [2.0, 0.0, 2.0, -3.0]
    # All: sums 4, -0.5, 0.5, -1.5. Means 2, -1, 0.5, -2; halved.
    assert Ties(density=1.0, scale=0.5)(PLACE, BASE, [ONE, TWO]).tolist() == [1.0, 0.5, 2.25, -2.0]
    # Weights 3 and 1: sums 6, 0.5, 0.5, -5.5. Means (3 x 1 + 3) / 4, 0.5, 0.5, -2.
    assert Ties(density=1.0, weights=[3, 1])(PLACE, BASE, [ONE, TWO]).tolist() == [1.5, 1.5, 2.5, -3.0]


def test_ties_takes_plus_where_the_signs_cancel():
    merged = Ties(density=1.0)(PLACE, torch.zeros(2), [torch.tensor([1.0, -2.0]), torch.tensor([-1.0, 2.0])])
    assert merged.tolist() == [1.0, 2.0]


def test_ties_of_models_that_are_the_base_is_the_base():
    assert torch.equal(Ties()(PLACE, BASE, [BASE, BASE]), BASE)
    assert torch.equal(Ties(weights=[0, 0])(PLACE, BASE, [ONE, TWO]), BASE)


@pytest.mark.parametrize(("density", "kept"), [(0.01, 1), (0.5, 2), (0.74, 2), (0.75, 3), (1.0, 4)])
def test_ties_keeps_the_floor_of_the_share_and_at_least_one(density, kept):
    merged = Ties(density=density)(PLACE, torch.zeros(4), [torch.tensor([1.0, 4.0, 2.0, 3.0])])
    assert int((merged != 0).sum()) == kept


def test_trimming_over_chunks_is_trimming_at_once_and_keeps_the_first_of_equals():
    values = torch.randn(5000, generator=torch.Generator().manual_seed(1)).mul(8).round().double()
    parts = [[values[:7], -values[:7]], [values[7:3000], -values[7:3000]], [values[3000:], -values[3000:]]]
    for k in (1, 40, 2500, 4999):
        order = torch.sort(values.abs(), descending=True, stable=True).indices[:k]
        expected = torch.zeros_like(values)
        expected[order] = values[order]
        one, two = trims(parts, k / 5000 + 1e-9)
        assert torch.equal(torch.cat([one(part[0]) for part in parts]), expected)
        assert torch.equal(torch.cat([two(part[1]) for part in parts]), -expected)
    assert trims(parts, 1.0) == []


def test_dare_keeps_the_expected_task_vector():
    base, model = torch.zeros(100_000), torch.ones(100_000)
    merged = Dare(drop=0.75)(PLACE, base, [model])
    assert sorted(set(merged.tolist())) == [0.0, 4.0]  # 1 / (1 - 0.75)
    # The mean of n draws: 1, with a standard deviation of sqrt(3 / n) = 0.0055
    assert float(merged.mean()) == pytest.approx(1.0, abs=0.025)


def test_dare_by_l1_keeps_the_norm_of_each_task_vector():
    model = torch.arange(1.0, 101.0)
    merged = Dare(drop=0.5, rescale="l1")(PLACE, torch.zeros(100), [model])
    assert float(merged.sum()) == pytest.approx(5050.0, rel=1e-6)  # 1 + 2 + ... + 100
    kept = merged[merged != 0]
    assert torch.allclose(kept / model[merged != 0], kept[0] / model[merged != 0][0])


def test_dare_that_drops_nothing_is_task_arithmetic():
    plain = TaskArithmetic(weights=[1, 2], scale=0.5)(PLACE, BASE, [ONE, TWO])
    for rescale in ("probability", "l1"):
        assert torch.equal(Dare(weights=[1, 2], scale=0.5, drop=0.0, rescale=rescale)(PLACE, BASE, [ONE, TWO]), plain)
    assert torch.equal(Dare(rescale="l1")(PLACE, BASE, [BASE]), BASE)  # nothing to rescale


def test_masks_of_dare_follow_seed_and_name_and_not_the_order_of_models():
    base = torch.zeros(500)
    one, two = (torch.randn(500, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    rule = Dare(drop=0.5, seed=3)
    merged = rule(PLACE, base, [one, two])
    assert torch.equal(rule(PLACE, base, [two, one]), merged)
    assert not torch.equal(Dare(drop=0.5, seed=4)(PLACE, base, [one, two]), merged)
    assert not torch.equal(rule(Place("model.norm.weight"), base, [one, two]), merged)
    # Two models are masked apart: each of the four outcomes has a quarter of 500, give or take 10.
    for outcome in (0 * one, 2 * one, 2 * two, 2 * one + 2 * two):
        assert 85 < int((merged == outcome).sum()) < 165


@pytest.mark.parametrize(
    "rule", [Linear(), TaskArithmetic(scale=0.7), Ties(density=0.3), Dare(seed=1), Dare(rescale="l1")]
)
def test_chunks_change_nothing(rule):
    base, one, two = torch.randn(3, 900, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    parts = [slice(0, 300), slice(300, 900)]
    merged = torch.cat(list(rule.merged(PLACE, [Chunk(base[p], [one[p], two[p]]) for p in parts])))
    torch.testing.assert_close(merged, rule(PLACE, base, [one, two]), rtol=1e-12, atol=0)  # sums of norms round


def layers_of(rule, layers):
    """The share of the language expert in each layer."""
    return [rule.share(Place("x", layer, layers)) for layer in range(layers)]


def test_layer_swap_has_the_published_zones_in_32_layers():
    assert layers_of(LayerSwap(), 32) == [1.0] * 5 + [0.5] + [0.0] * 23 + [0.5] + [1.0] * 2


@pytest.mark.parametrize(
    ("layers", "sizes"),
    # n x layers / 32: 36 -> 5.6, 2.3, 1.1; 28 -> 4.4, 1.8, 0.9; 16 -> 2.5, 1, 0.5; 4 -> 0.6, 0.25, 0.1
    [
        (36, (6, 2, 1, 1)),
        (28, (4, 2, 1, 1)),
        (16, (3, 1, 1, 1)),
        (4, (1, 1, 0, 0)),
        (3, (1, 1, 0, 0)),
        (2, (1, 0, 0, 0)),
        (1, (0, 0, 0, 0)),
    ],
)
def test_zones_of_layer_swap_scale_with_the_number_of_layers(layers, sizes):
    names = ("bottom", "top", "transition_bottom", "transition_top")
    assert LayerSwap().sizes(layers) == dict(zip(names, sizes, strict=True))
    assert LayerSwap(bottom=0, top=3).sizes(layers) | {"bottom": 0, "top": 3} == LayerSwap(bottom=0, top=3).sizes(
        layers
    )


def test_layer_swap_takes_layers_whole_and_the_rest_from_the_maths_expert():
    rule = LayerSwap(bottom=1, top=2, transition_bottom=1, transition_top=0, transition=0.25)
    at = [rule(Place("x", layer, 6), None, [ONE, TWO]) for layer in range(6)]
    assert torch.equal(at[0], TWO) and torch.equal(at[4], TWO) and torch.equal(at[5], TWO)
    assert at[1].tolist() == [1.5, 1.125, 2.125, -2.375]  # 3/4 maths, 1/4 language
    assert torch.equal(at[2], ONE) and torch.equal(at[3], ONE)
    head = Place("lm_head.weight", None, 6)
    assert torch.equal(rule(head, None, [ONE, TWO]), ONE)
    assert torch.equal(LayerSwap(outer="language")(head, None, [ONE, TWO]), TWO)
    assert LayerSwap(bottom=4, top=3).misfits(6) == [
        "the zones of merge=layer_swap must fit into the 6 layers of the models; got merge.bottom=4, merge.top=3, "
        "merge.transition_bottom=0, merge.transition_top=0"
    ]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_results_have_the_dtype_of_the_models(dtype):
    for rule in (Linear(), TaskArithmetic(), Ties(density=1), Dare(drop=0.0)):
        assert rule(PLACE, BASE.to(dtype), [ONE.to(dtype), TWO.to(dtype)]).dtype == dtype


MODELS = ["a", "b"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Linear([]), "merge.models must name at least 2 models with merge=linear; got 0"),
        (Linear(["a"]), "merge.models must name at least 2 models with merge=linear; got 1"),
        (Ties([]), "merge.models must name at least 1 model with merge=ties; got 0"),
        (LayerSwap(["a", "b", "c"]), "merge.models must name 2 models with merge=layer_swap; got 3"),
        (Linear(["a", " "]), "merge.models must name a folder each"),
        (Linear(MODELS, weights=[1.0]), "one weight for each of merge.models; got 1 for 2"),
        (Linear(MODELS, weights=[1.0, math.nan]), "merge.weights must be finite numbers; got nan"),
        (Dare(MODELS, weights=[-math.inf, 1.0]), "merge.weights must be finite numbers; got -inf"),
        (Linear(MODELS, weights=[0.5, -0.5]), "must not add up to 0"),
        (TaskArithmetic(MODELS, scale=math.inf), "merge.scale must be a finite number; got inf"),
        (Ties(MODELS, density=0.0), "merge.density must be above 0 and at most 1"),
        (Ties(MODELS, density=math.nan), "merge.density must be above 0 and at most 1"),
        (Ties(MODELS, weights=[1.0, -1.0]), "merge.weights must be 0 or more with merge=ties"),
        (Dare(MODELS, drop=1.0), "merge.drop must be 0 or more and below 1"),
        (Dare(MODELS, rescale="l2"), "merge.rescale must be one of probability, l1; got 'l2'"),
        (LayerSwap(MODELS, bottom=-1), "merge.bottom must be a number of layers, 0 or more; got -1"),
        (LayerSwap(MODELS, transition=1.5), "merge.transition must be in [0, 1]"),
        (LayerSwap(MODELS, outer="both"), "merge.outer must be one of maths, language"),
        (LayerSwap(MODELS, weights=[1.0, 2.0]), "merge.weights must be empty with merge=layer_swap"),
    ],
)
def test_what_breaks_a_rule_is_named_with_value_and_fix(rule, message):
    assert any(message in line for line in rule.violations()), rule.violations()


@pytest.mark.parametrize(
    "rule", [Linear(MODELS, weights=[0.2, 0.8]), TaskArithmetic(["a"], weights=[-1.0]), Ties(["a"])]
)
def test_what_can_be_merged_breaks_no_rule(rule):
    assert rule.violations() == []

"""Counted operations and bytes, by hand."""

import pytest

from src.commands import cost as page
from src.models.cost import Device, Step, forward, passes, rollout_seconds, update_seconds
from src.models.memory import Shape
from tests.helpers.configs import FILES
from tests.helpers.paths import ROOT

# Linear weights 2 (4 (2 4 + 2 2 + 3 5)) = 216; head 10 x 4; parameters with two norms a layer, one at the end, no biases.
SHAPE = Shape(2, 4, 2, 1, 2, 5, 10, tied=True, bias=False, head_norms=False)
DEVICE = Device(memory=1e9, flops=1e6, bandwidth=1e6, reached_flops=0.5, reached_bandwidth=0.25)


def test_a_forward_pass_by_hand():
    assert SHAPE.linear == 216 and SHAPE.parameters == 216 + 2 * 8 + 4 + 40
    assert forward(SHAPE, length=6) == 2 * (216 + 40) + 2 * 2 * 4 * 6  # 608
    assert [passes(rank, again) for rank in (0, 32) for again in (False, True)] == [3, 4, 2, 3]


def test_an_update_by_hand():
    step = Step(rollouts=8, prompt=2, response=4, rows=4)
    assert update_seconds(SHAPE, step, DEVICE, devices=2) == pytest.approx(608 * (3 + 1) * 48 / (2 * 1e6 * 0.5))


def test_rollouts_by_hand():
    """8 rollouts by 2 engines of 2 devices, 2 at a time: 2 waves of 4 steps. A step reads 276 weights and for each row 2 x 2
    x 2 numbers at 4 positions on average, 2 bytes each: 680 bytes in 2.72 ms, and computes 2 x 576 operations in 2.304 ms."""
    step = Step(rollouts=8, prompt=2, response=4, rows=2, engines=2, parallel=2)
    decoding = 4 * 2 * 680 / 0.25e6
    prompts = 4 * 2 * forward(SHAPE, 2) / 0.5e6
    assert rollout_seconds(SHAPE, step, DEVICE) == pytest.approx((decoding + prompts) / 2)


def test_the_run_is_that_of_the_scale(compose):
    made = compose("+experiment=adamame_grpo", "scale=distill_1_5b", *FILES)
    grpo, rollout = made.grpo, made.rollout
    assert (
        grpo.prompts_per_step,
        grpo.completions_per_prompt,
        grpo.steps,
    ) == (page.PROMPTS, page.COMPLETIONS, page.STEPS)
    assert (grpo.maximum_prompt_tokens, rollout.maximum_new_tokens) == (page.PROMPT, page.LONGEST)


def test_the_page_is_what_the_code_makes():
    assert (ROOT / "docs" / "cost.md").read_text() == page.document()

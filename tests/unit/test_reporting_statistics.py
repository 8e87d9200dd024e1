"""Averages, intervals and paired differences: values by hand, and how often an interval holds the truth."""

import time

import numpy as np
import pandas
import pytest

from src.errors import UserError
from src.reporting.statistics import Cells, RecordsError, cells, differences, estimate, macro, weights

COLUMNS = ("correct", "in_language", "right_and_in_language", "line_pass", "both_pass", "code_switched", "tokens")


def grid(correct, languages=("fr", "en"), seeds=None):
    """Cells from correct[seed, problem, language]; every other column equals it."""
    values = np.asarray(correct, dtype=float)
    named = dict.fromkeys((*COLUMNS, "truncated"), values)
    problems = tuple(f"p{number}" for number in range(values.shape[1]))
    return Cells(tuple(seeds or range(values.shape[0])), problems, languages, named)


def frame(right, languages=("fr", "en"), split="test"):
    """Records: right[problem][language] as 0 or 1."""
    return pandas.DataFrame(
        {
            "split": split, "problem": problem, "language": code, "correct": bool(value), "in_language": True,
            "right_and_in_language": bool(value), "line_pass": True, "word_pass": True, "code_switched": False,
            "tokens": 5, "truncated": False,
        }
        for problem, row in right.items() for code, value in zip(languages, row, strict=True)
    )  # fmt: skip


def test_seeds_problems_and_languages_all_count_the_same():
    data = grid([[[1, 0], [1, 1]], [[1, 0], [0, 0]]])  # fr 3 of 4, en 1 of 4
    over = weights(2, 2)
    assert macro(data, "accuracy", ["fr"], over)[0] == 0.75
    assert macro(data, "accuracy", ["en"], over)[0] == 0.25
    assert macro(data, "accuracy", ["fr", "en"], over)[0] == 0.5


def test_weights_count_draws_and_begin_with_the_sample_itself():
    seeds, problems = weights(3, 7, resamples=50)
    assert seeds.shape == (51, 3) and problems.shape == (51, 7)
    assert (seeds[0] == 1).all() and (problems[0] == 1).all()
    assert (seeds.sum(1) == 3).all() and (problems.sum(1) == 7).all()


def test_a_problem_is_resampled_together_in_all_languages():
    """Where all languages agree on a problem, twelve of them say no more than one does."""
    rng = np.random.default_rng(0)
    one = rng.integers(0, 2, size=(1, 60, 1))
    over = weights(1, 60)
    alone = estimate(macro(grid(one, ("fr",)), "accuracy", ["fr"], over))
    copies = estimate(macro(grid(np.repeat(one, 2, axis=2)), "accuracy", ["fr", "en"], over))
    assert (alone.low, alone.high) == (copies.low, copies.high)


def test_seeds_that_differ_widen_the_interval():
    """Two seeds, all right and all wrong: a resample holds either one twice, or both."""
    apart = grid([np.ones((10, 2)), np.zeros((10, 2))])
    found = estimate(macro(apart, "accuracy", ["fr", "en"], weights(2, 10)))
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """50 problems in 4 languages, difficulty shared by the languages: mean 1/2 over all problems there could be."""
    rng = np.random.default_rng(1)
    over = weights(1, 50, resamples=400)
    languages = ("fr", "ja", "ko", "th")
    held = 0
    for _ in range(300):
        difficulty = rng.beta(1, 1, size=(1, 50, 1))
        right = rng.random((1, 50, 4)) < difficulty
        found = estimate(macro(grid(right, languages), "accuracy", languages, over))
        held += found.low <= 0.5 <= found.high
    assert 0.90 <= held / 300 <= 0.985


def test_a_difference_does_not_depend_on_the_order_of_the_records():
    right = {f"p{number}": [number % 2, number % 3 == 0] for number in range(30)}
    one = frame(right)
    other = one.iloc[::-1].reset_index(drop=True)
    found = differences(cells({0: one}, "test"), cells({0: other}, "test"), "accuracy", ["fr", "en"])
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_difference_is_taken_on_the_languages_both_have():
    one = cells({0: frame({"p": [1, 0], "q": [1, 0]})}, "test")
    other = cells({0: frame({"p": [1], "q": [0]}, languages=("fr",))}, "test")
    assert differences(one, other, "accuracy", ["fr", "en"]).value == 0.5  # fr: 2/2 against 1/2; en is left out


def test_a_difference_is_taken_on_the_seeds_and_problems_both_have():
    one = grid([np.ones((2, 2)), np.zeros((2, 2))], seeds=(1, 2))
    other = grid([np.zeros((3, 2))], seeds=(1,))
    assert differences(one, other, "accuracy", ["fr", "en"]).value == 1.0


def test_methods_without_a_common_seed_cannot_be_compared():
    one, other = grid(np.ones((1, 2, 2)), seeds=(1,)), grid(np.ones((1, 2, 2)), seeds=(2,))
    with pytest.raises(RecordsError, match="needs a seed that both methods have; one has 1, the other 2"):
        differences(one, other, "accuracy", ["fr"])


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (frame({"p": [1, 1], "q": [1, 1], "r": [1, 1]}), "the same for all seeds"),
        (frame({"p": [1, 1]}), "the same for all seeds"),
        (frame({"p": [1], "q": [1]}, languages=("fr",)), "the same for all seeds"),
        (frame({"p": [1, 1], "q": [1, 1]}, split="shift"), "records of split 'test', here are none"),
    ],
    ids=["a problem more", "a problem less", "a language less", "no such split"],
)
def test_seeds_that_do_not_belong_together_are_refused(second, message):
    first = frame({"p": [1, 1], "q": [1, 1]})
    with pytest.raises(UserError, match=message):
        cells({0: first, 1: second}, "test")


def test_two_thousand_resamples_take_no_time():
    codes = tuple("abcdefghijkl")
    data = grid(np.random.default_rng(0).random((5, 50, 12)), codes)
    began = time.process_time()
    for metric in ("accuracy", "LCPR"):
        estimate(macro(data, metric, codes, weights(5, 50, resamples=2000)))
    assert time.process_time() - began < 2

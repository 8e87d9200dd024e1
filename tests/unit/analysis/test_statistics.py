"""Averages, intervals and paired differences: values by hand, and how often an interval holds the truth."""

import time

import numpy as np
import pandas
import pytest

from src.analysis.statistics import (
    Cells,
    RecordsError,
    cells,
    differences,
    estimate,
    known,
    lcpr,
    macro,
    p_value,
    resampled,
    weights,
)
from src.common.errors import UserError
from tests.helpers.evaluation import records_of

COLUMNS = ("correct", "in_language", "right_and_in_language", "line_pass", "both_pass", "code_switched", "tokens")


def grid(correct, languages=("fr", "en"), seeds=None, parts=None, part_weights=None):
    """Cells from correct[seed, problem, language]; every other column equals it."""
    values = np.asarray(correct, dtype=float)
    named = dict.fromkeys((*COLUMNS, "truncated"), values)
    problems = tuple(f"p{number}" for number in range(values.shape[1]))
    return Cells(
        tuple(seeds or range(values.shape[0])), problems, languages, named, parts or ("",) * len(problems), part_weights
    )


def frame(right, languages=("fr", "en"), split="test"):
    """Records: right[problem][language] as 0 or 1."""
    return pandas.DataFrame(
        {
            "split": split,
            "problem": problem,
            "language": code,
            "correct": bool(value),
            "in_language": True,
            "right_and_in_language": bool(value),
            "line_pass": True,
            "word_pass": True,
            "code_switched": False,
            "tokens": 5,
            "truncated": False,
        }
        for problem, row in right.items()
        for code, value in zip(languages, row, strict=True)
    )


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
    estimated = estimate(macro(apart, "accuracy", ["fr", "en"], weights(2, 10)))
    assert (estimated.value, estimated.low, estimated.high) == (0.5, 0.0, 1.0)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """50 problems in 4 languages, difficulty shared by the languages: mean 1/2 over all problems there could be."""
    rng = np.random.default_rng(1)
    over = weights(1, 50, resamples=400)
    languages = ("fr", "ja", "ko", "th")
    held = 0
    for _ in range(300):
        difficulty = rng.beta(1, 1, size=(1, 50, 1))
        right = rng.random((1, 50, 4)) < difficulty
        estimated = estimate(macro(grid(right, languages), "accuracy", languages, over))
        held += estimated.low <= 0.5 <= estimated.high
    assert 0.90 <= held / 300 <= 0.985


def test_a_difference_does_not_depend_on_the_order_of_the_records():
    right = {f"p{number}": [number % 2, number % 3 == 0] for number in range(30)}
    one = frame(right)
    other = one.iloc[::-1].reset_index(drop=True)
    estimated = differences(cells({0: one}, "test"), cells({0: other}, "test"), "accuracy", ["fr", "en"])
    assert (estimated.value, estimated.low, estimated.high) == (0.0, 0.0, 0.0)


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


def apart(right):
    """Records in which every language has problems of its own: right[language] is a list of 0 and 1."""
    whole = [frame({f"{code}-{i}": [x] for i, x in enumerate(row)}, (code,)) for code, row in right.items()]
    return pandas.concat(whole, ignore_index=True)


def with_parts(parts, right):
    """Records with a part for each problem."""
    return frame(right).assign(part=[part for part in parts for _ in ("fr", "en")])


def test_a_part_weighs_the_same_however_many_problems_it_has():
    right = {"a": [1, 1], "b": [0, 1], "c": [1, 1], "d": [0, 0]}
    records = {0: with_parts(["low", "low", "low", "top"], right)}
    data = cells(records, "test", {"low": 1, "top": 3, "unused": 9})
    # w/n is 1/3, 1/3, 1/3, 3, of mean 1: times 4 / (1 + 3)
    assert data.weights == pytest.approx([1 / 3, 1 / 3, 1 / 3, 3])
    assert data.parts == ("low", "low", "low", "top")
    # fr: (1 * 2/3 + 3 * 0) / 4 = 1/6; en: (1 * 1 + 3 * 0) / 4 = 1/4
    assert macro(data, "accuracy", ["fr"], resampled(data))[0] == pytest.approx(1 / 6)
    assert macro(data, "accuracy", ["fr", "en"], resampled(data))[0] == pytest.approx(5 / 24)
    unweighted = cells(records, "test")
    assert macro(unweighted, "accuracy", ["fr"], resampled(unweighted))[0] == 0.5


def test_problems_are_drawn_within_their_part():
    data = grid(np.ones((2, 5, 2)), parts=tuple("xyxyx"))
    seeds, problems = resampled(data, 50)
    assert (problems[:, [0, 2, 4]].sum(1) == 3).all() and (problems[:, [1, 3]].sum(1) == 2).all()
    assert len(np.unique(problems[:, 0])) > 1 and seeds.shape == (51, 2)


def test_parts_that_differ_do_not_widen_the_interval():
    """All of one part right, none of the other: another sample with as many of each says the same."""
    right = np.repeat([1, 0], 10).reshape(1, 20, 1)
    alone, split = grid(right, ("fr",)), grid(right, ("fr",), parts=("a",) * 10 + ("b",) * 10)
    assert estimate(macro(alone, "accuracy", ["fr"], resampled(alone))).low < 0.4
    assert estimate(macro(split, "accuracy", ["fr"], resampled(split))).low == 0.5


def test_without_parts_the_draws_are_those_of_all_problems():
    data = grid(np.ones((3, 7, 2)))
    for own, plain in zip(resampled(data, 20), weights(3, 7, 20), strict=True):
        assert (own == plain).all()


@pytest.mark.parametrize(
    ("parts", "message"),
    [(["low", "new"], "'new' has none among"), ([None, "low"], "'' has none among")],
    ids=["no weight", "no part"],
)
def test_a_part_without_a_weight_is_refused(parts, message):
    with pytest.raises(RecordsError, match=message):
        cells({0: with_parts(parts, {"p": [1, 1], "q": [1, 1]})}, "test", {"low": 1})


def test_a_problem_of_two_parts_is_refused():
    right = {"p": [1, 1], "q": [1, 1]}
    with pytest.raises(RecordsError, match="'q' is of 'x' and 'y'"):
        cells({0: with_parts("xx", right), 1: with_parts("xy", right)}, "test")


def test_a_language_without_a_part_is_refused():
    records = apart({"fr": [1, 1], "en": [1, 1]}).assign(part=["x", "y", "x", "x"])
    with pytest.raises(RecordsError, match="en has none of 'y'"):
        cells({0: records}, "test", {"x": 1, "y": 1})


def test_languages_may_have_problems_of_their_own():
    data = cells({0: apart({"fr": [1, 1, 0, 0], "en": [1, 0, 0, 0, 0]})}, "test")
    over = resampled(data)
    assert data.present.sum(0).tolist() == [4, 5]
    assert (over[1][:, :4].sum(1) == 4).all() and (over[1][:, 4:].sum(1) == 5).all()  # drawn within a language
    assert macro(data, "accuracy", ["fr", "en"], over)[0] == pytest.approx(0.35)  # (2/4 + 1/5) / 2
    assert np.isfinite(macro(data, "LCPR", ["fr", "en"], over)).all()


def test_problems_of_a_language_are_weighed_within_it():
    records = apart({"fr": [1, 0, 0], "en": [0, 0, 1]}).assign(part=["x", "x", "y", "x", "y", "y"])
    data = cells({0: records}, "test", {"x": 1, "y": 2})
    # fr: (1 * 1/2 + 2 * 0) / 3 = 1/6; en: (1 * 0 + 2 * 1/2) / 3 = 1/3
    assert macro(data, "accuracy", ["fr"], resampled(data))[0] == pytest.approx(1 / 6)
    assert macro(data, "accuracy", ["en"], resampled(data))[0] == pytest.approx(1 / 3)


def test_one_shared_problem_makes_a_missing_one_an_error():
    whole = apart({"fr": [1, 1], "en": [1, 1]})
    shared = whole.assign(problem=["p", "q", "p", "r"])
    with pytest.raises(RecordsError, match="must be there in every language"):
        cells({0: shared}, "test")
    with pytest.raises(RecordsError, match="the same for all seeds"):
        cells({0: whole, 1: whole.iloc[1:]}, "test")


def test_pass_at_k_is_a_metric():
    records = pandas.concat(
        [frame({"p": [1, 0], "q": [1, 0]}), frame({"p": [1, 0], "q": [0, 0]}), frame({"p": [0, 1], "q": [0, 0]})]
    )
    data = cells({0: records}, "test", pass_at=(1, 2, 3))
    values = [macro(data, f"pass@{k}", ["fr", "en"], resampled(data))[0] for k in (1, 2, 3)]
    # right of 3: fr 2 and 1, en 1 and 0. k=1: (2+1+1+0)/12; k=2: (1 + 2/3 + 2/3 + 0)/4; k=3: 3/4
    assert values == pytest.approx([1 / 3, 7 / 12, 3 / 4])
    assert values[0] == pytest.approx(macro(data, "accuracy", ["fr", "en"], resampled(data))[0])
    with pytest.raises(UserError, match="k=4 with 3 samples"):
        cells({0: records}, "test", pass_at=(4,))


def test_the_majority_is_a_metric():
    """fr: 1/2 and 0.5 outvote 3; en: of 4, 5 and 5 that are cut off 4 alone votes. The first two samples: a tie, and 4."""
    given = {"fr": ["0.5", "3", "1/2"], "en": ["4", "5", "5"]}
    rows = [
        frame({"p": [fr != "3", en == "4"]}).assign(
            answer=[fr, en], sample=number, truncated=[False, en == "5"], status="right"
        )
        for number, (fr, en) in enumerate(zip(*given.values(), strict=True))
    ]
    data = cells({0: pandas.concat(rows[::-1])}, "test", pass_at=(2, 3))
    over = resampled(data)
    assert [macro(data, "maj@3", [code], over)[0] for code in given] == [1.0, 1.0]
    assert [macro(data, "maj@2", [code], over)[0] for code in given] == [0.5, 1.0]
    assert known(data)[-4:] == ["pass@2", "pass@3", "maj@2", "maj@3"]


def test_p_values_by_hand():
    none, three = np.zeros((1, 5, 2)), np.zeros((1, 5, 2))
    three[0, :3] = 1
    # three problems differ, all alike: 2 of 2^3 flips leave a sum of 3; both languages of a problem flip together
    assert p_value(grid(three), grid(none), "accuracy", ["fr", "en"]) == 0.25
    assert p_value(grid(none), grid(three), "accuracy", ["fr"]) == 0.25
    other = none.copy()
    other[0, 3] = 1
    # +1, +1, +1, -1 in some order: |sum| is 4 twice, 2 eight times, 0 six times; at least 2: 10 of 16
    assert p_value(grid(three), grid(other), "accuracy", ["fr", "en"]) == 0.625


def test_a_p_value_counts_weights():
    one, none = np.array([[[1.0], [1.0], [1.0], [-1.0]]]), np.zeros((1, 4, 1))
    parts = {"languages": ("fr",), "parts": ("x", "x", "x", "y"), "part_weights": {"x": 1, "y": 1}}
    # 1/6 + 1/6 + 1/6 - 1/2 = 0: every flip is at least as large; unweighted it would be 10 of 16, as above
    assert p_value(grid(one, **parts), grid(none, **parts), "accuracy", ["fr"]) == 1
    one[0, 3] = 1  # 1/6 + 1/6 + 1/6 + 1/2 = 1: 2 of 16
    assert p_value(grid(one, **parts), grid(none, **parts), "accuracy", ["fr"]) == 0.125


def test_p_values_of_equal_and_of_very_different_runs():
    right = np.random.default_rng(0).integers(0, 2, size=(2, 40, 2)).astype(float)
    assert p_value(grid(right), grid(right), "accuracy", ["fr", "en"]) == 1.0
    assert p_value(grid(right + 1), grid(right), "accuracy", ["fr", "en"]) == 1 / 10_001  # 2 of 2^40 flips
    assert np.isnan(p_value(grid(right), grid(right), "LCPR", ["fr"]))
    assert np.isnan(p_value(grid(right), grid(right), "accuracy", ["ja"]))


def test_a_p_value_below_5_percent_comes_about_once_in_twenty_equal_runs():
    rng = np.random.default_rng(2)
    difficulty = rng.beta(1, 1, size=(200, 1, 25, 1))
    runs = (rng.random((2, 200, 1, 25, 2)) < difficulty).astype(float)
    low = [p_value(grid(a), grid(b), "accuracy", ["fr", "en"]) < 0.05 for a, b in zip(*runs, strict=True)]
    assert 0.01 <= np.mean(low) <= 0.10


def test_runs_that_weigh_or_ask_differently_are_no_pair():
    ones = np.ones((1, 2, 2))
    weighted = grid(ones, parts=("x", "y"), part_weights={"x": 1, "y": 2})
    with pytest.raises(RecordsError, match="same weights"):
        differences(weighted, grid(ones, parts=("x", "y")), "accuracy", ["fr"])
    own = apart({"fr": [1], "en": [1]})
    every = own.assign(language=["en", "fr"])
    with pytest.raises(RecordsError, match="same part and languages"):
        p_value(cells({0: own}, "test"), cells({0: every}, "test"), "accuracy", ["fr"])


def test_a_weighted_interval_holds_the_truth_about_as_often_as_it_says():
    """30 easy and 20 hard problems in 3 languages, the hard ones weighing twice: (0.75 + 2 * 0.25) / 3 over all."""
    rng = np.random.default_rng(3)
    languages, parts = ("fr", "ja", "ko"), ("easy",) * 30 + ("hard",) * 20
    held = 0
    for _ in range(200):
        difficulty = np.concatenate([rng.beta(3, 1, 30), rng.beta(1, 3, 20)])[None, :, None]
        right = rng.random((1, 50, 3)) < difficulty
        data = grid(right, languages, parts=parts, part_weights={"easy": 1, "hard": 2})
        estimated = estimate(macro(data, "accuracy", languages, resampled(data, 400)))
        held += estimated.low <= 1.25 / 3 <= estimated.high
    assert 0.88 <= held / 200 <= 0.99


def test_macro_averages_weigh_languages_equally():
    data = cells({0: records_of(lambda p, code: code == "fr" or p == 0)}, "test")
    over = weights(1, 4)
    assert macro(data, "accuracy", ["fr", "en"], over)[0] == pytest.approx((1.0 + 0.25) / 2)
    assert macro(data, "fidelity", ["fr", "en"], over)[0] == 0.5
    assert macro(data, "tokens", ["fr"], over)[0] == 11.5
    assert np.isnan(macro(data, "accuracy", ["th"], over)[0])


def test_lcpr_is_the_harmonic_mean_of_line_and_word_passes_among_line_passes():
    frame = records_of(lambda p, code: True, languages=("fr",))
    frame["line_pass"] = [True, True, False, False]  # LPR 1/2
    frame["word_pass"] = [True, False, True, True]  # WPR among them 1/2
    data = cells({0: frame}, "test")
    assert macro(data, "LCPR", ["fr"], weights(1, 4))[0] == pytest.approx(0.5)


def test_an_interval_of_what_never_varies_is_a_point():
    data = cells({0: records_of(lambda p, code: True), 1: records_of(lambda p, code: True)}, "test")
    estimated = estimate(macro(data, "accuracy", ["fr"], weights(2, 4)))
    assert (estimated.value, estimated.low, estimated.high) == (1.0, 1.0, 1.0)


def test_the_bootstrap_interval_has_the_width_of_the_binomial():
    data = cells({0: records_of(lambda p, code: p % 2, problems=100, languages=("fr",))}, "test")
    estimated = estimate(macro(data, "accuracy", ["fr"], weights(1, 100)))
    assert estimated.value == 0.5
    assert estimated.high - estimated.low == pytest.approx(2 * 1.96 * 0.05, rel=0.12)


def test_differences_are_paired():
    worse = {0: records_of(lambda p, code: p % 2, problems=40)}
    better = {0: records_of(lambda p, code: p % 2 or p == 0, problems=40)}  # one problem more, whatever the sample
    estimated = differences(cells(better, "test"), cells(worse, "test"), "accuracy", ["fr", "en"])
    assert estimated.value == pytest.approx(1 / 40)
    assert 0 <= estimated.low <= estimated.high < 0.1  # unpaired, the interval would be wider than +-0.2


def test_a_hole_in_the_records_is_an_error():
    with pytest.raises(ValueError, match="every problem must be there"):
        cells({0: records_of(lambda p, code: True).iloc[1:]}, "test")


def test_lcpr_is_a_harmonic_mean():
    assert lcpr(0.5, 1.0) == pytest.approx(2 / 3) and lcpr(0.0, 0.0) == 0.0
    assert lcpr([0.5, 0.0, 0.25], [1.0, 0.0, 0.0]).tolist() == [float(lcpr(0.5, 1.0)), 0.0, 0.0]


def following(values, languages=("es", "ja")):
    """Records of two samples a problem: values[problem][language] are the two values of `follows`."""
    rows = []
    for problem, row in values.items():
        for code, pair in zip(languages, row, strict=True):
            for number, value in enumerate(pair):
                one = frame({problem: [1]}, (code,)).assign(sample=number)
                rows.append(one.assign(follows=pandas.array([value], dtype="object")))
    return pandas.concat(rows, ignore_index=True)


def test_following_is_a_share_of_the_completions_to_which_it_applies():
    # es: 1 of 3 (p: yes, no; q: no, and one that does not apply); ja: 2 of 2, one of each problem.
    records = following({"p": [(True, False), (True, None)], "q": [(False, None), (None, True)]})
    data = cells({0: records}, "test")
    over = resampled(data)
    assert macro(data, "following", ["es"], over)[0] == pytest.approx(1 / 3)
    assert macro(data, "following", ["ja"], over)[0] == 1.0
    assert macro(data, "following", ["es", "ja"], over)[0] == pytest.approx(2 / 3)
    assert macro(data, "following applies", ["es", "ja"], over)[0] == pytest.approx(5 / 8)
    assert "following" in known(data) and "trace follows" not in known(data)


def test_following_that_never_applies_is_no_zero():
    records = following({"p": [(None, None), (True, True)], "q": [(None, None), (False, None)]})
    data = cells({0: records}, "test")
    over = resampled(data)
    assert np.isnan(macro(data, "following", ["es"], over)).all()
    assert macro(data, "following", ["es", "ja"], over)[0] == pytest.approx(2 / 3)  # ja alone: 2 of 3
    assert np.isnan(p_value(data, data, "following", ["es"]))


def test_a_draw_without_a_completion_that_it_applies_to_is_left_out_of_the_interval():
    records = following({"p": [(True, True), (True, True)], "q": [(None, None), (True, False)]})
    estimated = estimate(macro(data := cells({0: records}, "test"), "following", ["es"], resampled(data)))
    assert (estimated.value, estimated.low, estimated.high) == (1.0, 1.0, 1.0)


def test_pass_at_k_in_the_language_needs_a_right_answer_that_follows():
    # es: p right and following once of 2 (right twice), q never; ja: p both times, q one that does not apply.
    records = following({"p": [(True, False), (True, True)], "q": [(False, False), (None, None)]})
    data = cells({0: records}, "test", pass_at=(1, 2))
    over = resampled(data)
    values = [macro(data, f"in-language pass@{k}", [code], over)[0] for code in ("es", "ja") for k in (1, 2)]
    assert values == [0.25, 0.5, 0.5, 0.5]
    assert macro(data, "pass@1", ["es", "ja"], over)[0] == 1.0


def test_blocks_of_resamples_give_what_all_at_once_gives(monkeypatch):
    """20 problems of two parts in two languages: the same draws and means, and at most `BLOCK` numbers at a time."""
    rows = [
        {
            "split": "test",
            "problem": f"p{number}",
            "part": "ab"[number % 2],
            "language": code,
            "correct": (number * (3 if code == "fr" else 5)) % 7 < 3,
            "in_language": True,
            "right_and_in_language": True,
            "line_pass": number % 3 > 0,
            "word_pass": number % 4 > 0,
            "code_switched": False,
            "tokens": number,
            "truncated": False,
        }
        for number in range(20)
        for code in ("fr", "sw")
    ]
    frames = {seed: pandas.DataFrame(rows) for seed in (0, 1)}
    data = cells(frames, "test", {"a": 1.0, "b": 3.0})
    other = cells(
        {seed: frame.assign(correct=~frame["correct"]) for seed, frame in frames.items()}, "test", {"a": 1.0, "b": 3.0}
    )
    at_once = [macro(data, metric, ["fr", "sw"], resampled(data)) for metric in ("accuracy", "LCPR", "tokens")]
    p = p_value(data, other, "accuracy", ["fr", "sw"])
    monkeypatch.setattr("src.analysis.statistics.BLOCK", 90)
    in_blocks = [macro(data, metric, ["fr", "sw"], resampled(data)) for metric in ("accuracy", "LCPR", "tokens")]
    assert all(np.allclose(one, two, rtol=1e-12) for one, two in zip(at_once, in_blocks, strict=True))
    assert p_value(data, other, "accuracy", ["fr", "sw"]) == p

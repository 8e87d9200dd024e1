"""Dominance by pairs: verdicts by hand, what the intervals know, and the published figures counted."""

import numpy as np
import pytest

from src.analysis.dominance import LOST, NEITHER, UNKNOWN, WON, data_sets, dominance, verdict
from src.analysis.statistics import Cells


def cells_of(right, follows, known=None, languages=("es", "ja"), parts=None):
    """right, follows and known are [seeds, problems, languages]: shares of the samples."""
    right, follows = np.asarray(right, dtype=float), np.asarray(follows, dtype=float)
    values = {"correct": right, "follows": follows}
    values["follows_known"] = np.ones_like(follows) if known is None else np.asarray(known, dtype=float)
    count = right.shape[1]
    return Cells(
        tuple(range(len(right))), tuple(f"p{n}" for n in range(count)), languages, values, parts or ("",) * count
    )


def test_verdicts_by_hand():
    assert verdict((0.5, 0.5), (0.4, 0.4)) == WON
    assert verdict((0.5, 0.5), (0.6, 0.6)) == LOST
    assert verdict((0.5, 0.5), (0.4, 0.6)) == NEITHER
    assert verdict((0.5, 0.5), (0.4, 0.5)) == NEITHER  # equal in one is not strict
    assert verdict((0.5, float("nan")), (0.4, 0.5)) == UNKNOWN


def test_pairs_are_counted_over_languages_and_data_sets():
    # Two problems, one seed. es: 1 > 0.5 and 1 > 0.5; ja: 0 < 1 and 0 < 0.5.
    one = cells_of([[[1, 0], [1, 0]]], [[[1, 0], [1, 0]]])
    other = cells_of([[[1, 1], [0, 1]]], [[[0, 1], [1, 0]]])
    result = dominance({"test": one, "shift": one}, {"test": other, "shift": other, "dev": other})
    assert [(p.data_set, p.language, p.verdict) for p in result.pairs] == [
        ("test", "es", WON),
        ("test", "ja", LOST),
        ("shift", "es", WON),
        ("shift", "ja", LOST),
    ]
    assert (result.won.value, result.lost.value) == (2.0, 2.0)
    assert result.pairs[0].one == (1.0, 1.0) and result.pairs[0].other == (0.5, 0.5)
    assert result.pairs[0].differences[0].value == 0.5
    # es is won where the draw of two problems holds each once: then both differ. p0 twice: accuracy is equal; p1 twice:
    # following is. So in half of the draws.
    assert result.pairs[0].sure == pytest.approx(0.5, abs=0.05)


def test_a_pair_that_is_won_on_every_problem_is_sure():
    one, other = (
        cells_of(np.ones((2, 5, 1)), np.ones((2, 5, 1)), languages=("fr",)),
        cells_of(np.zeros((2, 5, 1)), np.zeros((2, 5, 1)), languages=("fr",)),
    )
    result = dominance({"test": one}, {"test": other})
    assert (result.pairs[0].sure, result.pairs[0].sure_lost) == (1.0, 0.0)
    assert (result.won.value, result.won.low, result.won.high) == (1.0, 1.0, 1.0)
    back = dominance({"test": other}, {"test": one})
    assert (back.won.value, back.lost.value, back.pairs[0].verdict) == (0.0, 1.0, LOST)


def test_one_seed_of_two_that_loses_widens_the_count():
    """All pairs hang on the seed: drawn twice, the bad seed loses all of them together."""
    good, bad = np.ones((1, 6, 2)), np.zeros((1, 6, 2))
    one = cells_of(np.concatenate([good, bad]), np.concatenate([good, bad]))
    other = cells_of(np.full((2, 6, 2), 0.4), np.full((2, 6, 2), 0.4))
    result = dominance({"test": one, "shift": one}, {"test": other, "shift": other})
    assert (result.won.value, result.won.low, result.won.high) == (4.0, 0.0, 4.0)
    assert [pair.sure for pair in result.pairs] == pytest.approx([0.75] * 4, abs=0.05)


def test_where_following_never_applies_nothing_is_won():
    one = cells_of(np.ones((1, 3, 2)), np.zeros((1, 3, 2)), known=np.zeros((1, 3, 2)))
    other = cells_of(np.zeros((1, 3, 2)), np.zeros((1, 3, 2)))
    result = dominance({"test": one}, {"test": other})
    assert {pair.verdict for pair in result.pairs} == {UNKNOWN}
    assert (result.won.value, result.won.high, result.lost.value) == (0.0, 0.0, 0.0)


def test_the_parts_of_a_split_are_data_sets():
    whole = cells_of([[[1, 0], [1, 0], [0, 1]]], np.ones((1, 3, 2)), parts=("easy", "easy", "hard"))
    sets = data_sets({"test": whole})
    assert list(sets) == ["easy", "hard"] and sets["easy"].problems == ("p0", "p1")
    assert sets["hard"].values["correct"].tolist() == [[[0.0, 1.0]]]
    assert list(data_sets({"test": whole, "dev": whole})) == ["test easy", "test hard", "dev easy", "dev hard"]
    plain = cells_of(np.ones((1, 3, 2)), np.ones((1, 3, 2)))
    assert data_sets({"test": plain, "shift": plain}) == {"test": plain, "shift": plain}

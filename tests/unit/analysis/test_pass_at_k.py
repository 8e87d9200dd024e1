"""pass@k: values by hand, the two ends, and against the fraction of binomial coefficients."""

from math import comb

import numpy as np
import pytest

from src.analysis.pass_at_k import pass_at_k
from src.common.errors import UserError


def test_values_by_hand():
    # 1 - C(3,2)/C(4,2) = 1 - 3/6; 1 - C(3,3)/C(5,3) = 1 - 1/10; 1 - C(1,2)/C(4,2) = 1 - 0
    assert pass_at_k(4, 1, 2) == pytest.approx(1 / 2)
    assert pass_at_k(5, 2, 3) == pytest.approx(9 / 10)
    assert pass_at_k(4, 3, 2) == 1.0


def test_arrays_of_any_shape():
    values = pass_at_k([[4, 4], [5, 5]], [[0, 1], [2, 5]], 2)
    # 0; 1/2; 1 - C(3,2)/C(5,2) = 1 - 3/10; 1
    assert values == pytest.approx(np.array([[0, 1 / 2], [7 / 10, 1]]))


def test_one_sample_is_the_mean_and_all_samples_tell_whether_any_is_right():
    right = np.arange(9)
    assert pass_at_k(8, right, 1) == pytest.approx(right / 8)
    assert (pass_at_k(8, right, 8) == (right > 0)).all()


def test_many_samples_stay_exact():
    """C(10000, 5000) has 3000 digits; 1 of n right is drawn with chance k/n."""
    assert pass_at_k(10_000, 1, 5000) == pytest.approx(0.5)
    for n, c, k in ((200, 3, 100), (500, 250, 20), (64, 7, 60), (1000, 1, 999)):
        assert pass_at_k(n, c, k) == pytest.approx(1 - comb(n - c, k) / comb(n, k), abs=1e-12)


def test_it_grows_with_k_and_with_right_ones():
    grid = np.array([[pass_at_k(16, c, k) for c in range(17)] for k in range(1, 17)])
    assert (np.diff(grid, axis=0) >= -1e-12).all() and (np.diff(grid, axis=1) >= -1e-12).all()
    assert grid.min() == 0 and grid.max() == 1


@pytest.mark.parametrize(
    ("n", "c", "k", "message"),
    [
        ([8, 4], [1, 1], 5, "got k=5 with 4 samples. Take a smaller k"),
        (4, 1, 0, "got k=0 with 4 samples"),
        (4, 5, 1, "got 5 of 4"),
        (4, -1, 1, "got -1 of 4"),
    ],
)
def test_what_cannot_be_drawn_is_refused(n, c, k, message):
    with pytest.raises(UserError, match=message):
        pass_at_k(n, c, k)

"""Fronts and hypervolumes: values by hand, and against inclusion and exclusion."""

from itertools import combinations

import numpy as np
import pytest

from src.analysis.pareto import front, hypervolume, normalised_hypervolume
from src.common.errors import UserError


def test_the_front_is_what_no_point_beats_in_any_dimension():
    assert front([(0, 1), (1, 0), (0.5, 0.5), (0.4, 0.4), (0.5, 0.5)]) == [0, 1, 2, 4]
    assert front([(1, 1, 0), (1, 1, 1), (2, 0, 0), (0, 0, 2), (0, 0, 1)]) == [1, 2, 3]
    assert front([(1,), (3,), (2,)]) == [1]
    assert front([]) == []


def test_areas_by_hand():
    assert hypervolume([(1, 2), (2, 1)], (0, 0)) == 3  # 2 + 2 - 1 shared
    assert hypervolume([(1, 2), (2, 1)], (0.5, 0)) == 2  # 0.5 * 2 + 1.5 * 1 - 0.5 * 1 shared
    assert hypervolume([(1, 2), (2, 1), (1, 1)], (0, 0)) == 3  # the third lies below both


def test_volumes_by_hand():
    assert hypervolume([(1, 2, 3)], (0, 0, 0)) == 6
    assert hypervolume([(1, 2, 3), (2, 1, 1)], (0, 0, 0)) == 7  # 6 + 2 - 1 shared
    assert hypervolume([(0.5, 1.0, -60.0), (1.0, 0.5, -20.0)], (0, 0, -100)) == 50  # 0.5 * 40 + 0.5 * 80 - 0.25 * 40


def test_points_that_are_not_above_the_reference_add_nothing():
    assert hypervolume([(1, 0), (0, 1), (-1, 5)], (0, 0)) == 0
    assert hypervolume([(1, 1, 1), (9, 9, 0)], (0, 0, 0)) == 1
    assert hypervolume([], (0, 0, 0)) == 0


def test_a_point_with_a_coordinate_too_few_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        hypervolume([(1, 1, 1)], (0, 0))


@pytest.mark.parametrize("dimension", [2, 3])
def test_it_agrees_with_inclusion_and_exclusion_and_never_shrinks(dimension):
    rng = np.random.default_rng(dimension)
    for _ in range(30):
        points = rng.integers(0, 5, size=(5, dimension)).astype(float)  # integers: many ties
        boxes = (s for size in range(1, 6) for s in combinations(points, size))
        wanted = sum((-1) ** (len(subset) + 1) * np.min(subset, axis=0).prod() for subset in boxes)
        volumes = [hypervolume(points[:count].tolist(), (0.0,) * dimension) for count in range(6)]
        assert volumes[-1] == pytest.approx(wanted)
        assert (np.diff(volumes) >= 0).all()
        assert hypervolume(points[front(points.tolist())].tolist(), (0.0,) * dimension) == pytest.approx(wanted)


def test_a_normalised_volume_is_within_0_and_1():
    assert normalised_hypervolume([(0.5, 0.8, 256)], 1024) == pytest.approx(0.3)  # 0.5 * 0.8 * 3/4
    # and (0.8, 0.5, 512): 0.8 * 0.5 * 1/2 = 0.2, shared 0.5 * 0.5 * 1/2 = 0.125
    assert normalised_hypervolume([(0.5, 0.8, 256), (0.8, 0.5, 512)], 1024) == pytest.approx(0.375)
    assert normalised_hypervolume([(1, 1, 0)], 7) == 1
    assert normalised_hypervolume([(1, 1, 7), (1, 1, 9), (0, 1, 0)], 7) == 0
    with pytest.raises(UserError, match="above 0; got 0"):
        normalised_hypervolume([(1, 1, 1)], 0)


def test_the_front_is_what_no_point_beats():
    assert front([(0, 1), (1, 0), (0.5, 0.5), (0.4, 0.4), (0.5, 0.5)]) == [0, 1, 2, 4]

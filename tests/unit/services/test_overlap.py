import pytest

from src.services.overlap import chrf


def test_overlap_by_hand():
    assert chrf("So 7+4=11.", "So 7 + 4 = 11.") == 1.0  # blanks do not count
    assert chrf("", "a") == chrf("a", "") == chrf("", "") == chrf("xyz", "abc") == 0.0
    # ab in abcd: precision 1 and 1, recall 2/4 and 1/3, mean 5/12: 5 p r / (4 p + r)
    assert chrf("ab", "abcd") == pytest.approx(5 * (5 / 12) / (4 + 5 / 12))
    # aab in ab: runs of one 2 of 3 and 2 of 2, of two 1 of 2 and 1 of 1
    precision = (2 / 3 + 1 / 2) / 2
    assert chrf("aab", "ab") == pytest.approx(5 * precision / (4 * precision + 1))

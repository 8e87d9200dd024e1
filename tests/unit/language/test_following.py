"""Following: the language of the trace and of the answer, and what is left out."""

import pytest

from src.language.detector import Detector, DetectorSpec
from src.language.fidelity import measure_fidelity
from src.language.following import Following, measure_following
from src.language.trace import split_trace

DETECTOR = Detector(DetectorSpec())
SPANISH = "Primero restamos los dos números y después dividimos el resultado."
ENGLISH = "First we subtract the two numbers and then divide the result."
JAPANESE = "まず二つの数の差を求め、それから二で割ります。"


def following(completion, query="es", thinks=True):
    fidelity = measure_fidelity(completion, query, DETECTOR, thinks)
    return measure_following(query, split_trace(completion, thinks), fidelity)


@pytest.mark.parametrize(
    ("completion", "trace", "answer", "both"),
    [
        (f"{SPANISH}</think>{SPANISH} \\boxed{{4}}", True, True, True),
        (f"{SPANISH}</think>{ENGLISH} \\boxed{{4}}", True, False, False),
        (f"{ENGLISH}</think>{SPANISH} \\boxed{{4}}", False, True, False),
        (f"{ENGLISH}</think>{JAPANESE}", False, False, False),
        # A boxed number has no language: the trace decides.
        (f"{SPANISH}</think>\\boxed{{4}}", True, None, True),
        (f"{ENGLISH}</think>\\boxed{{4}}", False, None, False),
        # A part that is not there.
        (SPANISH, True, None, None),
        (ENGLISH, False, None, None),
        (f"{SPANISH}</think>", True, None, None),
        (f"{ENGLISH}</think>   \n", False, None, None),
        (f"</think>{SPANISH}", None, True, None),
        (f"<think>\n\n</think>{ENGLISH}", None, False, None),
        # A trace whose language nobody can tell.
        (f"$3-1=2$</think>{SPANISH}", None, True, None),
        ("", None, None, None),
    ],
)
def test_each_part_counts_where_it_is_there(completion, trace, answer, both):
    assert following(completion) == Following(trace, answer, both)


def test_a_model_that_does_not_mark_its_thinking_has_one_part_for_both():
    assert following(f"{JAPANESE} \\boxed{{4}}", "ja", thinks=False) == Following(True, True, True)
    assert following(f"{JAPANESE} \\boxed{{4}}", "es", thinks=False) == Following(False, False, False)
    assert following("\\boxed{4}", "es", thinks=False) == Following(None, None, None)

"""Rewards by hand."""

from src.grading.grader import Status
from src.language.fidelity import Fidelity
from src.rewards.accuracy import Accuracy
from src.rewards.additive_language import AdditiveLanguage
from src.rewards.base import Judged


def judged(status, in_language, completion="x"):
    fidelity = Fidelity("fr" if in_language else "en", in_language, in_language, True, True, 1, (), 0.0, None)
    return Judged(completion, "fr", "5", status, "5", fidelity, 3, False)


BATCH = [
    judged(Status.RIGHT, True),
    judged(Status.RIGHT, False),
    judged(Status.WRONG, True),
    judged(Status.TIMEOUT, False),
]


def test_accuracy_pays_for_right_answers():
    assert Accuracy()(BATCH) == [1.0, 1.0, 0.0, 0.0]


def test_the_additive_reward_pays_for_the_language_even_when_wrong():
    assert AdditiveLanguage(weight=0.5)(BATCH) == [1.5, 1.0, 0.5, 0.0]
    assert "weight must be 0 or more" in AdditiveLanguage(weight=-1).violations()[0]


def test_a_record_survives_what_utf8_cannot_hold():
    assert judged(Status.WRONG, True, "a\ud800b").record()["completion"] == "a?b"

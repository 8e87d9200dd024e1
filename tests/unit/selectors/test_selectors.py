"""Every selector by hand: who votes, what a tie does, what is passed over."""

import math

import pytest

from src.commands.selectors import selector
from src.common.errors import UserError
from src.common.registry import choices
from src.selectors.base import Candidate, Chosen
from src.selectors.best_of import BestOf
from src.selectors.oracle import Oracle
from src.selectors.threshold import Threshold
from src.selectors.vote import Vote
from src.selectors.weighted_vote import WeightedVote


def said(*answers, language="en", **fields):
    return [Candidate(language, answer, sample=number, **fields) for number, answer in enumerate(answers)]


def scored(*pairs, language="en"):
    return [Candidate(language, answer, score=score) for answer, score in pairs]


@pytest.mark.parametrize("name", choices("selector"))
def test_nothing_is_chosen_from_nothing_and_the_only_answer_from_one(name):
    select = selector(name)
    assert select([]) == Chosen()
    assert select(said(None, None)) == Chosen()
    assert select(scored((None, 0.1), ("7", -0.5))).answer == "7"


@pytest.mark.parametrize("name", choices("selector"))
def test_what_stands_for_the_answer_gave_it(name):
    candidates = scored(("3", -1.0), ("4", -0.1), ("3.0", -0.3), (None, 0.0))
    made = selector(name)(candidates)
    assert made.answer == candidates[made.index].answer
    assert made.index in made.members


def test_votes_are_counted_by_classes_over_languages():
    candidates = [Candidate("en", "9"), Candidate("de", "0,5"), Candidate("en", "1/2"), Candidate("fr", None)]
    assert Vote()(candidates) == Chosen("0,5", 1, (1, 2))


def test_a_tie_goes_to_the_first_or_to_nobody():
    candidates = said(None, "8", "9", "9", "8")
    assert Vote()(candidates).answer == "8"
    assert Vote(tie="abstain")(candidates) == Chosen()
    assert Vote(tie="abstain")(said("8", "9", "9")).answer == "9"


def test_clsp_knows_numbers_alone_and_keeps_near_ones_apart():
    clsp = selector("clsp")
    assert clsp(said("1/2", "1/2", "3")).answer == "3"  # a fraction is no float
    assert clsp(said("inf", "nan", "4")).answer == "4"
    assert clsp(said("0.29", "0.28", "0.28")).answer == "0.28"


def test_weights_are_probabilities_times_those_of_the_language():
    candidates = [*scored(("3", math.log(0.5))), *scored(("4", math.log(0.2)), ("4", math.log(0.2)), language="fr")]
    assert WeightedVote()(candidates).answer == "3"
    assert WeightedVote(languages={"fr": 1.5})(candidates).answer == "4"
    assert WeightedVote(languages={"en": 0.0})(candidates).answer == "4"
    assert WeightedVote()(scored(("3", None), ("4", -9.0))).answer == "4"  # without a score there is no vote


def test_best_of_takes_the_first_of_the_highest():
    assert BestOf()(scored(("3", -0.4), ("4", -0.2), ("5", -0.2), (None, 0.0))) == Chosen("4", 1, (1,))
    assert BestOf()(scored(("3", None))) == Chosen()


def test_the_oracle_looks_at_the_verdict():
    candidates = [Candidate("en", None), Candidate("en", "3", right=False), Candidate("ja", "4", right=True)]
    assert Oracle()(candidates).index == 2
    assert Oracle()(candidates[:2]).index == 1


def test_the_threshold_decides_between_two_majorities():
    own = said("3", "3", "4", language="sw")
    others = [Candidate("en", answer, score=0.4) for answer in ("5", "6", "6")]
    assert Threshold(0.5)([*own, *others]) == Chosen("3", 0, (0, 1))
    assert Threshold(0.4)([*own, *others]) == Chosen("6", 4, (4, 5))
    assert Threshold(0.4)(own) == Chosen("3", 0, (0, 1))
    assert Threshold(0.4)([*own, Candidate("en", "5")]).answer == "3"  # nobody could tell


def test_broken_settings_are_named():
    assert Vote(tie="last", key="text").violations() == [
        "selector.tie must be one of first, abstain; got 'last'",
        "selector.key must be one of class, float; got 'text'",
    ]
    assert WeightedVote(languages={"fr": math.nan}).violations() == [
        "selector.languages must be finite and 0 or more; got nan for fr"
    ]
    with pytest.raises(UserError, match="no selector 'vot'. Did you mean 'vote'"):
        selector("vot")

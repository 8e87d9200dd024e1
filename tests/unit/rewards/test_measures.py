"""Measures by hand, and every yaml of them on samples made by hand."""

import pytest

from src.common.errors import ConfigError
from src.common.registry import choices
from src.config.checks import check
from src.grading.spec import Grade, Status
from src.language.detector import Detector, DetectorSpec
from src.language.shares import Languages, Shares, measure_languages
from src.rewards.base import score
from src.rewards.batch import MEASURES
from src.rewards.examples import sample
from src.rewards.settings import MeasureSpec
from tests.helpers.configs import compose
from tests.helpers.paths import ROOT

SWAHILI = Shares({"sw": 100}, {}, 100, {"sw": 4})
MIXED = Shares({"sw": 60, "en": 20}, {"sw": 10}, 100, {"sw": 3, "en": 1})
ENGLISH = Shares({"en": 100}, {}, 100, {"en": 4})
NOTHING = Shares()


def judged(correct=True, trace=SWAHILI, answer=NOTHING, detected="sw", **fields):
    return sample(correct, detected, languages=Languages(trace, answer, trace + answer), **fields)


REPEATED = "a line of twenty letters\n" * 6 + "</think>\\boxed{72}"
TWICE = "Ana 72.</think>Tena</think>\\boxed{72}"
# Pure and right, pure and wrong, mixed and right, English and right, repeating, closed twice.
ROWS = [
    judged(),
    judged(correct=False),
    judged(trace=MIXED),
    judged(trace=ENGLISH, detected="en"),
    judged(completion=REPEATED),
    judged(completion=TWICE),
]
BY_HAND = {
    "binary_fidelity": [1.2, 0.2, 1.2, 1.0, 1.2, 1.2],
    "graded_fidelity": [1.2, 0.2, 1.12, 1.0, 1.2, 1.2],  # 60 of 100 letters
    "language_probability": [1.2, 0.2, 1.0 + 0.2 * 70 / 90, 1.0, 1.2, 1.2],
    "sentence_share": [1.2, 0.2, 1.15, 1.0, 1.2, 1.2],  # three of four
    "code_switch_penalty": [1.0, 0.0, 1.0, 1.0, 1.0, 1.0],  # the fidelity of these has no switch
    "repetition_penalty": [1.0, 0.0, 1.0, 1.0, 0.5, 1.0],
    "format": [1.1, 0.1, 1.1, 1.1, 1.1, 1.0],
    "budget_alignment": [1.4, 0.4, 1.2 + 0.2 * 70 / 90, 1.2, 1.4, 1.4],
    "m_thinker": [1.0, 0.0, 1.0, -1.0, 1.0, -1.0],  # the judge is missing: 0, as published
    "slc": [1.0, 0.1, 1.0, 0.9, 1.0, 0.0],
    "naive_rl": [1.0, 0.0, 1.0, 1.0, 1.0, 1.0],
    "trit": [1.0, 0.1, 0.0, 0.0, 0.1, 0.0],
    "bridge_math": [2.0, 1.0, 1.0 + 70 / 90, 1.0, 2.0, 2.0],
    "bridge_factual_language": [0.2, 0.2, 0.2, 0.2, 1.0, 0.2],  # "Ana 72." has 7 characters
    "sp3f": [3.0, 2.0, 2.0, 2.0, 3.0, 3.0],  # a wrong answer was read from its box
    "explang_explore": [1.0, 0.0, 1.0, 1.0, 1.0, 1.0],  # nobody selects
    "explang_exploit": [1.0, 0.5, 1.0, 1.0, 1.0, 1.0],
    "mixture": [1.0, 0.0, 1.0, 1.0, 1.0, 1.0],
    "share_curriculum": [1.5, 0.5, 1.5, 1.0, 1.5, 1.5],  # half is asked for at first
    "consistency": [None] * 6,  # one language alone
    "pivot": [None, None, None, 0.0, None, None],
    "pivot_embedding": [None, None, None, 0.0, None, None],
    "pivot_translation": [None, None, None, 0.0, None, None],
    "pivot_plain": [None] * 6,
    "self_pivot": [None] * 6,
}
OTHERS = {"accuracy", "accuracy_fidelity", "accuracy_overlong", "additive_language", "composed", "fidelity", "overlong"}


def test_every_yaml_is_scored_by_hand_here_or_with_the_rewards_of_the_house():
    assert set(choices("reward")) == BY_HAND.keys() | OTHERS


@pytest.mark.parametrize("name", BY_HAND)
def test_every_yaml_by_hand(name):
    scores = score(compose("+experiment=grpo", f"reward={name}").reward, ROWS)
    assert scores.total == [None if value is None else pytest.approx(value) for value in BY_HAND[name]]
    assert len(scores.parts) >= 1 and scores.values.keys() == scores.parts.keys() == scores.weights.keys()


def values(name, rows, **settings):
    return MEASURES[name].values(rows, MeasureSpec(**settings))


def test_every_measure_stays_within_its_bounds_and_says_what_it_is():
    rows = [*ROWS, sample(), sample(closed=False), judged(trace=NOTHING, detected=None)]
    for measure in MEASURES.values():
        given = measure.values(rows, MeasureSpec())
        assert len(given) == len(rows) and measure.meaning
        assert all(value is None or measure.low <= value <= measure.high for value in given), measure.name
        if "languages" in measure.needs:
            assert given[len(ROWS)] is None, measure.name  # missing evidence is no 0


def test_shares_and_the_probability_by_hand():
    assert (MIXED.of_letters("sw"), MIXED.of_sentences("sw")) == (0.6, 0.75)
    assert MIXED.probability("sw") == pytest.approx(70 / 90) and MIXED.probability("fr") == 0.0
    assert NOTHING.of_letters("sw") == NOTHING.of_sentences("sw") == NOTHING.probability("sw") == 0.0
    assert Shares({}, {"sw": 9}, 9).probability("sw") == 0.0  # no sentence is known
    both = MIXED + SWAHILI
    assert both == Shares({"sw": 160, "en": 20}, {"sw": 10}, 200, {"sw": 7, "en": 1})


def test_shares_of_a_real_completion():
    french = "Le train roule pendant trois heures et parcourt deux cents kilomètres."
    english = "The train runs for three hours and covers two hundred kilometres."
    measured = measure_languages(f"{french}\n{english}\n</think>\n{french}", Detector(DetectorSpec()))
    letters = {"fr": sum(map(str.isalpha, french)), "en": sum(map(str.isalpha, english))}
    assert measured.trace == Shares(letters, {}, sum(letters.values()), {"fr": 1, "en": 1})
    assert measured.answer.of_letters("fr") == 1.0 and measured.completion == measured.trace + measured.answer
    whole = measure_languages(french, Detector(DetectorSpec()), thinks=False)
    assert whole.trace == whole.answer == whole.completion and whole.trace.sentences == {"fr": 1}


def test_both_parts_asks_for_the_answers_language_where_it_says_something():
    wordy = judged(answer=Shares({}, {}, 40))  # forty letters in no known language
    assert values("both_parts", [judged(), wordy, judged(answer=Shares({}, {}, 15))]) == [1.0, 0.0, 1.0]
    assert values("both_parts", [judged(detected="en"), judged(closed=False), sample()]) == [0.0, 0.0, None]
    english = judged(answer=ENGLISH)
    assert values("both_probable", [judged(), english, wordy, judged(trace=MIXED)]) == [1.0, 0.0, 0.0, 0.0]


def test_lengths_and_repetition_by_hand():
    rows = [sample(completion="x" * n) for n in (9, 10)]
    assert values("long_enough", rows, minimum_characters=10) == [0.0, 1.0]
    phrases = ["so we add " * 6, "so we add " * 5, "用加法" * 6, "用加法" * 5, "la la " * 6, "a b c d e f g h"]
    assert values("repeats", [sample(completion=text) for text in phrases]) == [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    assert values("not_repeating", [sample(completion=phrases[0])]) == [0.0]


def test_the_share_that_is_asked_for_grows():
    rows = [judged(trace=MIXED, progress=progress) for progress in (0.0, 0.2, 0.5, 1.0)]
    assert values("share_curriculum", rows, share_start=0.5) == pytest.approx([1.0, 1.0, 0.8, 0.6])


def choosing(code, correct=True, detected="sw"):
    return judged(correct, detected=detected, completion=f"<lang_select>\n{code}\n</lang_select>\n<think>a</think>1")


def test_rarity_is_that_of_all_who_select_the_language():
    rows = [choosing("sw"), choosing("sw", detected="en"), choosing("en", detected="en"), choosing("xx"), judged()]
    assert values("selected", rows) == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert values("compliant", rows) == [1.0, 0.0, 1.0, 0.0, 0.0]
    assert values("language_rarity", rows) == [0.5, 0.0, 1.0, 0.0, 0.0]  # two select Swahili, one English
    assert values("selected", [choosing("sw")], selectable=["en"]) == [0.0]
    late = judged(completion="First <lang_select>sw</lang_select>")
    assert values("selected", [late]) == [0.0]


def test_what_a_language_solves_in_the_step():
    rows = [choosing("sw", correct=False), choosing("sw"), choosing("en", correct=False, detected="en"), judged(False)]
    assert values("selection_solves", rows) == [1.0, 1.0, 0.0, 0.0]
    queries = [("p", "sw", True), ("p", "sw", False), ("p", "fr", False), ("q", "sw", False)]
    rows = [judged(right, problem=problem, query_language=code) for problem, code, right in queries]
    assert values("language_passes", rows) == [1.0, 1.0, 0.0, 0.0]


def test_a_gate_without_evidence_is_not_closed_and_a_closed_one_decides():
    reward = compose("+experiment=grpo", "reward=m_thinker", "reward.missing=skip").reward
    unjudged = judged(evidence={"thought_alignment": None})
    assert reward([unjudged, judged(correct=False), judged(evidence={"thought_alignment": 0.5})]) == [None, 0.0, 1.5]
    assert reward([sample(), sample(completion=TWICE)]) == [None, -1.0]  # shares are missing, but it is closed twice
    assert reward([judged(evidence={"thought_alignment": 7.0})]) == [None]  # no share


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("reward.measures.share_low=0.3", "share_low must not be above share_high; got 0.3 and 0.2"),
        ("reward.measures.share_high=1.5", r"share_high must be in \[0, 1\]; got 1.5"),
        ("reward.measures.line_times=1", "line_times must be at least 2; got 1"),
        ("reward.measures.selectable=[xx]", "selectable must be among .*got 'xx'"),
        ("reward.measures.cosine_low=1", "cosine_low must be below cosine_high; got 1.0 and 1.0"),
        ("+reward.measures.calibration.fr={low: 0.5, high: 0.4}", "calibration.fr must be low and high cosines"),
        ("+reward.measures.calibration.xx={low: 0.1, high: 0.4}", "calibration.xx must be low and high cosines"),
        ("+reward.measures.calibration.fr={lo: 0.1, high: 0.4}", "calibration.fr must be low and high cosines"),
        ("reward.measures.translation_high=0", "translation_low must be below translation_high; got 0.0 and 0.0"),
        ("reward.missing=nought", "reward.missing must be one of skip, zero; got 'nought'"),
    ],
)
def test_settings_that_cannot_be_are_named(override, rule):
    with pytest.raises(ConfigError, match=rule):
        check(compose("+experiment=grpo", "reward=mixture", override))


def test_a_cosine_counts_between_those_of_its_language():
    rows = [judged(query_language=code, evidence={"cosine": 0.3}) for code in ("sw", "fr", "en")]
    own = {"sw": {"low": 0.1, "high": 0.5}, "en": {"low": 0.7, "high": 0.9}}
    assert values("similarity", rows, calibration=own, cosine_low=0.2, cosine_high=0.3) == pytest.approx([0.5, 1, 0])
    assert values("raw_similarity", [*rows, judged()]) == [0.3, 0.3, 0.3, None]
    translated = [judged(evidence={"translation": value}) for value in (0.3, 0.65, 1.0, None)]
    assert values("translation", translated, translation_low=0.3) == pytest.approx([0.0, 0.5, 1.0, None])


def test_own_answers_vote_as_classes():
    rows = [
        judged(grade=Grade(Status.RIGHT, answer, "boxed"), query_language=code, pivot=("3/2", "3/2", "7"))
        for answer, code in (("1.5", "en"), ("1,5", "de"), ("7", "fr"), (None, "fr"))
    ]
    assert values("self_agrees", rows) == [1.0, 1.0, 0.0, 0.0]


def test_a_scale_sets_how_long_a_completion_must_be():
    assert compose("+experiment=grpo", "reward=slc").reward.measures.minimum_characters == 1
    assert compose("+experiment=grpo", "reward=slc", "minimum_characters=99").reward.measures.minimum_characters == 99


def test_the_page_names_every_measure():
    page = (ROOT / "docs" / "rewards.md").read_text()
    assert [name for name in MEASURES if f"`{name}`" not in page] == []

"""For which samples services are asked: none that a closed gate has decided."""

from src.language.shares import Languages, Shares
from src.rewards.composed import Composed
from src.rewards.evidence import asks, served_needs, services_of
from src.rewards.examples import sample
from src.rewards.part import Part
from tests.helpers.configs import compose

SWAHILI = Shares({"sw": 100}, {}, 100, {"sw": 4})


def judged(correct=True, **fields):
    return sample(correct, languages=Languages(SWAHILI, Shares(), SWAHILI), **fields)


def reward(name):
    return compose("+experiment=grpo", f"reward={name}").reward


def test_the_judge_is_asked_about_right_answers_in_the_language_alone():
    rows = [judged(), judged(correct=False), judged(detected="en"), judged(completion="a</think>b</think>c")]
    assert asks(reward("m_thinker"), rows)["thought_alignment"] == [True, False, False, False]


def test_a_pivot_is_asked_about_traces_in_the_language_alone_and_the_plain_form_about_all():
    rows = [judged(), judged(correct=False), judged(detected="en")]
    assert asks(reward("pivot"), rows) == {"agrees": [True, True, False], "cosine": [True, True, False]}
    assert asks(reward("pivot_plain"), rows) == {"agrees": [True] * 3, "cosine": [True] * 3}
    assert asks(reward("accuracy"), rows) == {}


def test_a_gate_that_wants_evidence_or_other_samples_is_open_for_the_time_being():
    parts = {"a": Part(of="similarity", gates=["agrees", "language_passes"]), "b": Part(of="agrees", gates=["wrong"])}
    rows = [judged(), judged(correct=False)]
    assert asks(Composed(parts), rows) == {"agrees": [True, True], "cosine": [True, True]}
    assert asks(Composed({"b": parts["b"]}), rows) == {"agrees": [False, True]}
    assert asks(Composed({"all": Part(Composed(parts), gates=["wrong"])}), rows)["cosine"] == [False, True]
    assert asks(Composed(parts), []) == {"agrees": [], "cosine": []}


def test_a_reward_depends_on_the_services_that_it_asks():
    assert services_of(reward("m_thinker")) == ["services.judge", "services.pivot", "services.references"]
    assert services_of(reward("accuracy")) == services_of(reward("slc")) == []
    assert served_needs(reward("self_pivot")) == ["pivot"]
    assert "services.own_answers" in services_of(reward("self_pivot"))

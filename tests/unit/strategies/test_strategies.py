"""Every strategy by hand: what is asked in which round, what the answer begins with, in every language."""

import re

import pytest

from src.common.registry import choices
from src.config.checks import check
from src.data.records import Question
from src.language.detector import Detector, DetectorSpec
from src.language.phrases import PHRASES
from src.language.table import LANGUAGES
from src.strategies.base import Ask, Reply, asks_of, message
from src.strategies.clp import Clp
from src.strategies.fan_out import FanOut
from src.strategies.hack import Hack
from src.strategies.lang_select import LangSelect
from src.strategies.plain import Plain
from src.strategies.prompt_control import PromptControl
from src.strategies.selective import Selective
from src.strategies.translate import Translate
from tests.helpers.configs import compose
from tests.helpers.paths import ROOT

ROUTES = ROOT / "tests/helpers/routes.json"
ASKED = Question("p1", "fr", "Combien font 2 et 3 ?", "5")
LINE = LANGUAGES["fr"].instruction


def ask(strategy, instruction="none", sample=0, seed=1, replies=(), question=ASKED):
    return strategy(question, instruction, sample, seed, replies)


def test_plain_is_the_question_as_the_instruction_has_it():
    assert ask(Plain()) == Ask(("Combien font 2 et 3 ?",))
    assert ask(Plain(), "localised") == ask(Plain("localised")) == Ask((f"{LINE}\n\nCombien font 2 et 3 ?",))
    assert ask(Plain("none"), "localised") == ask(Plain())


def test_a_line_more_stands_between_instruction_and_question():
    wanted = "Réfléchis et réponds en français."
    assert ask(PromptControl()).turns == (f"{wanted}\n\nCombien font 2 et 3 ?",)
    assert ask(PromptControl(), "localised").turns == (f"{LINE}\n{wanted}\n\nCombien font 2 et 3 ?",)
    assert message(ASKED, "none", "A\n\nB") == "A\n\nB\n\nCombien font 2 et 3 ?"


def test_the_answer_begins_with_words_of_the_language():
    assert ask(Hack()).prefill == "Je vais réfléchir en français, étape par étape.\n"
    assert ask(Hack("marker")).prefill == "Bon,"
    assert ask(Hack("restate")).prefill == "La question est : Combien font 2 et 3 ?\nJe vais y réfléchir en français.\n"
    assert ask(Hack()).turns == ask(Plain()).turns


def test_braces_of_a_question_stay():
    braces = Question("p", "fr", "x_{question} et \\frac{1}{2}", "5")
    assert "x_{question} et \\frac{1}{2}" in ask(Hack("restate"), question=braces).prefill


def test_clp_understands_in_one_turn_and_solves_in_the_next():
    (first,) = ask(Clp()).turns
    assert re.search(r"French.*Combien font 2 et 3 \?.*English", first, re.DOTALL)
    second = ask(Clp(["en", "ja"]), sample=1, replies=["compris"]).turns
    assert second[1] == "compris" and "Japanese" in second[0] and "Japanese" in second[2] and "\\boxed{}" in second[2]
    choice = Question("p", "fr", "Quelle ville ?", "B", kind="choice")
    assert "letter" in ask(Clp(), replies=["compris"], question=choice).turns[2]


def test_samples_fan_out_over_the_languages():
    asks = [ask(FanOut(["ja", "de"]), sample=sample) for sample in range(3)]
    assert [a.prefill for a in asks] == [PHRASES[code].opening + "\n" for code in ("ja", "de", "ja")]
    assert PHRASES["de"].think_in in asks[1].turns[0] and "Combien font 2 et 3 ?" in asks[1].turns[0]


def test_random_languages_come_from_the_seed():
    drawn = FanOut(random=True)
    asks = [[ask(drawn, sample=sample, seed=seed) for sample in range(40)] for seed in (1, 1, 2)]
    assert asks[0] == asks[1] != asks[2]
    assert len({a.prefill for a in asks[0]}) > 8


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("think</think>\n What are 2 and 3? ", "What are 2 and 3?"),
        ("a trace that never closes", "Combien font 2 et 3 ?"),
        ("think</think>  ", "Combien font 2 et 3 ?"),
    ],
)
def test_the_translation_is_solved_or_the_question_where_none_came(reply, text):
    assert "English" in ask(Translate()).turns[0]
    assert ask(Translate(), replies=[reply]).turns == (text,)
    line = LANGUAGES["en" if text.startswith("What") else "fr"].instruction
    assert ask(Translate(), "localised", replies=[reply]).turns == (f"{line}\n\n{text}",)


def test_of_a_model_that_marks_no_thinking_the_whole_reply_is_the_translation():
    assert ask(Translate(thinks=False), replies=["What are 2 and 3?"]).turns == ("What are 2 and 3?",)


def test_random_cot_translates_to_one_language_in_both_rounds_and_answers_in_another():
    strategy = Translate(["ja", "th", "sw"], answer="en")
    names = {LANGUAGES[code].name: code for code in strategy.targets}
    for sample in range(6):
        (first,) = ask(strategy, sample=sample).turns
        assert sum(name in first for name in names) == 1
        assert ask(strategy, sample=sample, replies=["x</think>y"]).turns == ("Think and answer in English.\n\ny",)


@pytest.mark.parametrize(
    ("reply", "doubted"),
    [
        (Reply("t</think>5", 0.9), False),
        (Reply("t</think>5", 0.79), True),
        (Reply("t never closes", 0.9), True),
        ("t</think>5", False),  # nobody knows how sure it was
    ],
)
def test_only_what_is_doubted_is_translated(reply, doubted):
    assert ask(Selective()) == Ask(("Combien font 2 et 3 ?",))
    second = ask(Selective(), replies=[reply])
    assert second == (ask(Translate()) if doubted else None)
    assert ask(Selective(pivot="fr"), replies=[reply]) is None  # the question is in the pivot


def test_what_is_doubted_is_asked_again_with_the_translation_before_the_thinking():
    doubted = Reply("t</think>5", 0.1)
    third = ask(Selective(), "localised", replies=[doubted, "x</think> How much is 2 and 3? "])
    assert third.turns == (f"{LINE}\n\nCombien font 2 et 3 ?",)
    assert third.prefill == "As I understand it, the question is: “How much is 2 and 3?” Let me solve it.\n"
    assert "Combien font 2 et 3 ?" in ask(Selective(), replies=[doubted, "no translation"]).prefill
    assert "got 2" in Selective(confidence=2).violations()[0] and "got 'xx'" in Selective("xx").violations()[0]


def test_a_line_asks_for_the_tag_and_names_the_languages():
    (text,) = ask(LangSelect(["fr", "th"])).turns
    assert text.endswith("\n\nCombien font 2 et 3 ?") and "one of fr, th: begin with <lang_select>" in text


def test_all_that_a_strategy_may_ask_is_known():
    assert asks_of(Plain(), ASKED, "none") == [ask(Plain())]
    assert len(asks_of(FanOut(["ja", "de"]), ASKED, "none")) == 2
    assert len(asks_of(FanOut(random=True), ASKED, "none")) == 18
    assert [len(one.turns) for one in asks_of(Clp(), ASKED, "none")] == [1, 3]
    assert [bool(one.prefill) for one in asks_of(Selective(), ASKED, "none")] == [False, False, True]


def test_every_language_has_phrases_in_it():
    detector = Detector(DetectorSpec(languages=list(LANGUAGES)))
    assert set(PHRASES) == set(LANGUAGES)
    for code, phrases in PHRASES.items():
        assert phrases.restate.count("{question}") == 1 and phrases.marker
        for text in (phrases.think_in, phrases.opening, phrases.restate.replace("{question}", "")):
            assert detector.detect(text) in (code, {"id": "ms", "ms": "id"}.get(code)), text


@pytest.mark.parametrize("name", choices("strategy"))
def test_every_yaml_asks(name):
    more = [f"strategy.routes={ROUTES}"] if name == "route" else []
    built = compose("+experiment=evaluate", f"strategy={name}", *more)
    check(built)
    strategy = built.strategy
    replies = [Reply("x</think>y", 0.1)] * (strategy.rounds - 1)
    made = ask(strategy, replies=replies)
    assert len(made.turns) % 2 == 1 and all(made.turns)
    if strategy.shared:
        assert made == ask(strategy, sample=3, replies=replies)


def test_broken_settings_are_named():
    assert Hack("sentence").violations() == ["strategy.words must be one of opening, marker, restate; got 'sentence'"]
    assert "got 'xx'" in FanOut(["xx"]).violations()[0]
    assert Clp([]).violations() == ["strategy.targets must name at least one language; got an empty list"]
    assert "got 'german'" in Translate(answer="german").violations()[0]
    assert "got 'english'" in Plain("english").violations()[0]

"""The world as judge, embedder and translator: recognised, translated and measured exactly, in all its languages."""

import random

import pytest

from src.data.records import Question
from src.data.references import of_world
from src.data.world import render
from src.data.world.problems import Problem, draw_split
from src.data.world.recognise import Step, problem_of, step_of
from src.data.world.spec import WorldSpec
from src.data.world.standins import WorldEmbedder, WorldJudge, WorldTranslator, reference, translated
from src.services.base import Pair, Passage

PROBLEM = Problem(7, (("gain", 4), ("times", 2)), "egg")
TRACE = "Au début, il y a 7 œufs.\nEnsuite on en ajoute 4, ce qui donne 7+4=11.\nEnsuite on multiplie ce nombre par 2, ce qui donne 11x2=22.\nDonc, à la fin, il y a 22 œufs."
ENGLISH = "At the beginning there are 7 eggs.\nThen 4 more are added, so we get 7+4=11.\nThen the number is multiplied by 2, so we get 11x2=22.\nSo in the end there are 22 eggs."


def judge(text, of=ENGLISH):
    return WorldJudge()([Pair(text, of, "fr", "en")], 0).values


@pytest.mark.parametrize("code", render.world_languages())
def test_a_question_is_recognised_in_every_wording_and_a_trace_translated_to_the_letter(code):
    for number, problem in enumerate(draw_split(WorldSpec(), "train", 12, 3)):
        for held_out in (False, True):
            text = render.question(problem, code, random.Random(number), held_out)
            assert problem_of(text, code) == problem
        trace = render.reasoning(problem, code, random.Random(number))
        assert translated(Passage(trace, code, "en")) == reference(problem, "en")


def test_what_is_not_of_the_world_is_not_recognised():
    question = render.question(PROBLEM, "fr", random.Random(0))
    assert problem_of(question, "fr") == PROBLEM
    assert problem_of(question, "de") is None and problem_of(question + " Vite !", "fr") is None
    assert problem_of("Combien font 3 et 4 ?", "fr") is None and problem_of(question, "xx") is None
    assert problem_of(question.replace("7", "9" * 12), "fr") is None  # no number of the world
    assert step_of("Ensuite on en ajoute 4, ce qui donne 7+4=13.", "fr") == Step(
        "gain", 4, "7+4=13", ""
    )  # wrong, but a step
    assert step_of("Je ne sais pas.", "fr") is None and step_of("7+4=11", "fr") is None and step_of("", "fr") is None


def test_a_trace_is_translated_sentence_by_sentence():
    assert reference(PROBLEM, "fr") == TRACE and reference(PROBLEM, "en") == ENGLISH
    assert translated(Passage(TRACE, "fr", "en")) == ENGLISH
    mixed = "\n".join([*TRACE.splitlines()[:2], *ENGLISH.splitlines()[2:]])
    assert translated(Passage(mixed, "fr", "en")) == ENGLISH
    assert translated(Passage("Bof.\n" + TRACE, "fr", "en")) == "Bof.\n" + ENGLISH
    assert translated(Passage("7+4=12", "fr", "en")) == "7+4=12" and translated(Passage("", "fr", "en")) == ""
    assert WorldTranslator()([Passage(TRACE, "fr", "vi"), Passage(TRACE, "xx", "en")], 0).values == [None, None]


def test_a_question_is_translated_with_its_thing_and_its_numbers():
    question = render.question(PROBLEM, "ja", random.Random(0))
    english = translated(Passage(question, "ja", "en"))
    assert problem_of(english, "en") == PROBLEM
    assert english == translated(Passage(question, "ja", "en"))


def test_the_judge_counts_the_results_that_equations_come_to():
    assert judge(TRACE) == [1.0] and judge(TRACE.replace("=22", "=23")) == [0.5]
    assert judge("7 11 22") == [0.0] and judge("") == [0.0]  # the numbers alone are no results
    assert judge("7+4=115, 11x2=22") == [0.5]
    assert judge(TRACE, of="no equation") == [None]


def test_the_embedder_ranks_within_a_language_and_pays_for_the_language_of_the_reference():
    other = reference(Problem(9, (("lose", 3), ("lose", 2)), "hat"), "en")
    texts = [ENGLISH, TRACE, TRACE.replace("11", "12").replace("22", "24"), other]
    english, right, wrong, unrelated = WorldEmbedder()([Pair(text, ENGLISH, "fr", "en") for text in texts], 0).values
    assert english == pytest.approx(1.0) and right > wrong
    assert unrelated > right  # what a language gate and a calibration are for


def test_a_reference_of_the_world_is_the_question_and_its_solution_in_the_pivot_language():
    question = Question("7+4x2", "th", render.question(PROBLEM, "th", random.Random(1)), "22")
    row = of_world(question, "en")
    assert row is not None and row.completion == ENGLISH + "\n</think>\\boxed{22}"
    assert (row.question.language, row.question.gold, problem_of(row.question.question, "en")) == ("en", "22", PROBLEM)
    assert of_world(question, "vi") is None
    assert of_world(Question("p", "fr", "Combien font 3 et 4 ?", "7"), "en") is None

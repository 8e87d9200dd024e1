"""The embedded world: every language is its own, splits are disjoint, answers are right."""

import random
import re

import pytest

from src.common.errors import ConfigError
from src.data.world import documents, render
from src.data.world.grammar import ITEMS
from src.data.world.problems import Problem, draw, draw_split
from src.data.world.spec import WorldSpec
from src.grading.grader import Grader, GraderSpec, Status
from src.language.detector import Detector, DetectorSpec
from src.language.fidelity import measure_fidelity
from src.language.table import CORE

SPEC = WorldSpec(items=12)
WORLD = render.world_languages()  # whatever has a file
SIGNS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "x": lambda a, b: a * b}


def detector_of(code):
    """The detector that a run with this language of the world has."""
    return Detector(DetectorSpec(languages=list(dict.fromkeys([*CORE, code]))))


def test_results_are_worked_out_in_order():
    problem = Problem(5, (("gain", 3), ("times", 2), ("lose", 6)), "apple")
    assert problem.results() == [8, 16, 10]
    assert problem.key == "5+3x2-6"


@pytest.mark.parametrize("code", WORLD)
def test_reasoning_is_identified_line_by_line_and_grades_right(code):
    detector, grader, generator = detector_of(code), Grader(GraderSpec()), random.Random(1)
    for _ in range(40):
        problem = draw(SPEC, generator)
        text = render.completion(problem, code, generator)
        fidelity = measure_fidelity(text, code, detector)
        assert fidelity.in_language and fidelity.line_pass and fidelity.word_pass and not fidelity.code_switched, text
        assert grader.grade([text], [str(problem.answer)])[0].status is Status.RIGHT


@pytest.mark.parametrize("code", WORLD)
def test_every_set_of_wordings_is_in_the_language(code):
    """A problem with all operations is text enough to tell: in each role in turn, with every noun."""
    language, detector, generator = render.world_language(code), detector_of(code), random.Random(4)
    assert (
        language.code == code and set(language.nouns) == set(ITEMS) and len(set(language.names)) == len(language.names)
    )
    for templates in (language.question, language.held_out, language.reasoning):
        for item in ITEMS:
            sentences = []
            for role in ("start", "gain", "lose", "times", "close"):
                number = generator.randint(2, 20)
                forms = language.forms(number, language.nouns[item])
                template = generator.choice(getattr(templates, role))
                sentences.append(template.format(name=language.names[0], n=number, equation="", **forms))
            assert detector.detect(language.joiner.join(sentences)) == code, sentences


@pytest.mark.parametrize("code", WORLD)
def test_equations_in_the_reasoning_hold(code):
    generator = random.Random(2)
    for _ in range(20):
        problem = draw(SPEC, generator)
        equations = re.findall(r"(\d+)([-+x])(\d+)=(\d+)", render.reasoning(problem, code, generator))
        assert len(equations) == len(problem.operations)
        assert all(SIGNS[sign](int(a), int(b)) == int(result) for a, sign, b, result in equations)


@pytest.mark.parametrize("code", WORLD)
def test_held_out_wordings_are_new_and_name_the_same_numbers(code):
    generator = random.Random(3)
    language = render.world_language(code)
    for role in ("start", "gain", "lose", "times", "close"):
        assert not set(getattr(language.held_out, role)) & set(getattr(language.question, role))
    for _ in range(20):
        problem = draw(SPEC, generator)
        numbers = [problem.start, *(operand for _, operand in problem.operations)]
        for held_out in (False, True):
            text = render.question(problem, code, generator, held_out)
            assert [int(n) for n in re.findall(r"\d+", text)] == numbers, text


def test_agreement_where_it_is_easy_to_get_wrong():
    def forms(code, number, item):
        language = render.world_language(code)
        return language.forms(number, language.nouns[item])

    assert [forms("ru", n, "apple")["count"] for n in (1, 2, 5, 11, 12, 21, 22)] == [
        "1 яблоко",
        "2 яблока",
        "5 яблок",
        "11 яблок",
        "12 яблок",
        "21 яблоко",
        "22 яблока",
    ]
    assert forms("ru", 21, "book")["counted"] == "21 книгу"
    assert forms("sw", 3, "book")["how_many"] == "vitabu vingapi"
    assert forms("sw", 3, "fish")["vanish"] == "wanapotea"
    assert forms("fr", 2, "egg")["how_many"] == "Combien d'œufs"
    assert forms("es", 2, "flower")["how_many"] == "Cuántas flores"
    assert forms("ko", 3, "book")["object"] == "책을" and forms("ko", 3, "apple")["object"] == "사과를"
    assert forms("ko", 12, "book")["number"] == "12를" and forms("ko", 10, "book")["number"] == "10을"
    assert forms("ja", 3, "fish")["how_many"] == "何匹"


def test_splits_are_disjoint_by_arithmetic():
    spec = WorldSpec()
    train = {p.key for p in draw_split(spec, "train", 3000, seed=0)}
    dev = {p.key for p in draw_split(spec, "dev", 50, seed=0, distinct=True)}
    test = {p.key for p in draw_split(spec, "test", 50, seed=0, distinct=True)}
    assert not train & dev and not train & test and not dev & test
    assert len(dev) == len(test) == 50


def test_evaluation_asks_the_same_problems_in_every_language():
    questions = documents.evaluation(WorldSpec(), "test", ["fr", "te"], 10)
    french, telugu = ([q.problem for q in questions if q.language == code] for code in ("fr", "te"))
    assert french == telugu and len(set(french)) == 10


def test_documents_depend_on_the_seed_alone():
    spec = WorldSpec(pretrain_documents=30)
    assert documents.pretraining(spec, 1) == documents.pretraining(spec, 1)
    assert documents.pretraining(spec, 1) != documents.pretraining(spec, 2)


def test_a_language_without_a_file_is_an_error_that_names_the_file():
    with pytest.raises(ValueError, match=r"languages/xx\.py"):
        render.world_language("xx")


def test_asking_for_more_problems_than_there_are_is_an_error():
    spec = WorldSpec(start=[2, 3], operand=[2, 2], factor=[2, 2], steps=[2])
    with pytest.raises(ConfigError, match="distinct problems"):
        draw_split(spec, "test", 500, seed=0, distinct=True)

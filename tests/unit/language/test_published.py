"""The published definitions differ from ours exactly where they are known to be wrong."""

import time

from src.language.detector import Detector, DetectorSpec
from src.language.fidelity import measure_fidelity
from src.language.published import judge_published
from src.language.table import PUBLISHED_OTHERS
from src.language.words import word_pass


def test_published_an_empty_trace_passes_and_ours_does_not():
    published = judge_published("", "fr")
    assert published.line_pass and published.word_pass and not published.code_switched
    ours = measure_fidelity("</think>\\boxed{3}", "fr", Detector(DetectorSpec()))
    assert not ours.line_pass and not ours.word_pass and not ours.in_language


def test_published_formulas_decide_the_language_and_ours_ignores_them():
    trace = "합계는 열둘입니다. \\text{the total number of the apples} \\text{and then the rest of them}"
    assert judge_published(trace, "ko").detected != "ko"
    assert measure_fidelity(trace + "\n</think>", "ko", Detector(DetectorSpec())).in_language


def test_text_that_is_no_valid_unicode_is_judged():
    assert judge_published("\ud800", "fr").detected is None


def test_texts_that_lingua_is_not_asked_about_are_named_as_it_would_name_them():
    import random

    from src.data.world import documents
    from src.data.world.spec import WorldSpec
    from src.language.published import _CODES, _detect, _lingua

    generator, world = random.Random(0), WorldSpec()
    lines = [
        line
        for code in ("de", "en", "es", "fr", "pt", "sw")
        for example in documents.examples(world, code, 30, 1, "sft")
        for line in (example.question, *example.completion.split("\n"))
    ]
    texts = lines + [" ".join(generator.choices(lines, k=generator.randint(2, 6))) for _ in range(400)]
    for text in texts:
        assert _detect(text) == _CODES.get(_lingua().language_of(text)), text


def test_a_word_without_end_takes_bounded_time():
    began = time.process_time()
    for unit in ("a", "ha", "か", "ก"):
        judge_published(unit * (200_000 // len(unit)), "fr")
    assert time.process_time() - began < 8.0


def test_the_languages_are_those_of_the_benchmark():
    trace = "Em seguida, somamos os dois números para obter o total de maçãs que restam na cesta."
    assert judge_published(trace, "pt", PUBLISHED_OTHERS).detected == "pt"
    assert judge_published(trace, "pt").detected != "pt"


def test_a_formula_without_dollars_fails_the_published_word_pass_and_not_ours():
    assert not judge_published("よって 3 \\times 5 です", "ja").word_pass
    assert word_pass("よって 3 \\times 5 です", "ja")

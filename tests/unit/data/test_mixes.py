"""Every mix by hand: which rows it makes, what they declare, and what it leaves out."""

import pytest

from src.common.registry import choices
from src.data.chat import question_text
from src.data.mixes.base import Material, either, mixed, thought_of
from src.data.mixes.code_switch import CodeSwitch
from src.data.mixes.lang_select import LangSelect
from src.data.mixes.language_mixed import LanguageMixed
from src.data.mixes.parallel import Parallel
from src.data.mixes.pivot_form import PivotForm
from src.data.mixes.plain import Plain
from src.data.mixes.qalign import QAlign
from src.data.mixes.sentences import letters, switched
from src.data.mixes.xrft import Xrft, steps
from src.data.readers import BadData
from src.data.records import Example, read_records, write_records
from src.data.sources import sft_examples, validation_examples
from src.data.spec import DataSpec
from src.data.world.spec import WorldSpec
from src.grading.grader import GraderSpec
from src.language.detector import DetectorSpec
from src.rollout.examples import judge_examples
from src.rollout.judge import Judge
from tests.helpers.configs import compose

WORLD = WorldSpec(languages=["fr", "ja", "en"], trained_languages=["fr", "ja"], sft_examples_per_language=6, items=2)
FR = Example("p", "fr", "Combien font 2 et 3 ?", "5", "On a 2.\nOn ajoute 3.\nCela fait 5.\n</think>\n\n\\boxed{5}")
EN = Example("p", "en", "How much is 2 and 3?", "5", "We have 2.\nWe add 3.\nThat makes 5.\n</think>\n\n\\boxed{5}")
JA = Example(
    "p", "ja", "2と3でいくつですか。", "5", "2があります。\n3を足します。\n5になります。\n</think>\n\n\\boxed{5}"
)
ALONE = Example("q", "fr", "Combien font 1 et 1 ?", "2", "Cela fait 2.\n</think>\n\n\\boxed{2}")
THREE = Material([FR, JA, ALONE], [EN])


def test_parallel_rows_are_those_of_the_languages_that_are_asked_for():
    assert Parallel()(THREE, 0) == [FR, JA, ALONE]
    assert Parallel(languages=["ja"])(THREE, 0) == [JA]
    assert Plain()(THREE, 0) == [FR, JA, ALONE]


def test_cross_asks_in_english_for_a_trace_in_the_language_of_the_row():
    first, second = Parallel("en")(THREE, 0)
    assert first.question == "Réfléchis et réponds en français.\n\nHow much is 2 and 3?"
    assert (first.language, first.trace_language, first.completion) == ("en", "fr", FR.completion)
    assert (second.language, second.trace_languages) == ("en", ("ja",))
    (bare,) = Parallel("en", line=False, languages=["fr"])(THREE, 0)
    assert bare.question == "How much is 2 and 3?"
    assert Parallel("en")(Material([EN]), 0) == [EN]


def test_question_alignment_learns_the_question_in_english_and_no_answer():
    first, _ = QAlign()(THREE, 0)
    ask = "Translate this question into English. Write the translation and nothing else."
    assert first.question == f"{ask}\n\nCombien font 2 et 3 ?"
    assert first.completion == "</think>\n\nHow much is 2 and 3?"
    assert first.kind == "text" and question_text(first, "localised") == first.question
    (bare,) = QAlign(thinks=False)(Material([JA, EN]), 0)
    assert (bare.language, bare.completion) == ("ja", "How much is 2 and 3?")


def test_as_many_sentences_are_switched_as_the_share_says():
    assert switched(["a", "b", "c", "d"], ["A", "B", "C", "D"], 0.5, [3, 1, 0, 2]) == ["a", "B", "c", "D"]
    assert switched(["a", "b"], ["A", "B"], 0.24, [1, 0]) == ["a", "b"]
    first, second = CodeSwitch(ratio=1 / 3)(THREE, 0)
    lines = [list(pair) for pair in zip(FR.completion.split("\n"), EN.completion.split("\n"), strict=True)][:3]
    picked = [pair.index(line) for pair, line in zip(lines, first.completion.split("\n")[:3], strict=True)]
    assert sorted(picked) == [0, 1, 1]  # one line in French, two in English
    assert first.completion.endswith("\n</think>\n\n\\boxed{5}") and first.trace_language == "fr+en"
    assert second.trace_language == "ja+en"
    assert CodeSwitch(ratio=1.0)(THREE, 0)[0].completion == FR.completion
    assert CodeSwitch()(THREE, 0) == CodeSwitch()(THREE, 0)
    shorter = Example("p", "en", "?", "5", "That makes 5.\n</think>\\boxed{5}")
    assert CodeSwitch()(Material([FR], [shorter]), 0) == []


def test_the_pivot_form_begins_with_the_question_in_english():
    first, _ = PivotForm()(THREE, 0)
    assert first.completion == f"<pivot>\nHow much is 2 and 3?\n</pivot>\n{FR.completion}"
    assert (first.question, first.trace_language) == (FR.question, "fr+en")


def test_a_mixed_trace_quotes_as_much_of_the_question_as_the_band_allows():
    french, japanese = LanguageMixed(low=0.05, high=0.3)(THREE, 0)
    # 20 letters of English: 7 of "Combien" make 26 %, 11 of "Combien font" 35 %.
    assert letters("We have 2.\nWe add 3.\nThat makes 5.") == 20
    assert french.completion == "“Combien”\nWe have 2.\nWe add 3.\nThat makes 5.\n</think>\n\n\\boxed{5}"
    assert french.trace_language == "en+fr" and japanese.completion.startswith("“2と3でいくつですか。”\n")
    assert LanguageMixed(low=0.05, high=0.2)(Material([FR], [EN]), 0) == []  # one word is 26 %
    assert LanguageMixed()(Material([EN]), 0) == [EN]
    assert len(LanguageMixed().violations()) == 0 and LanguageMixed(low=0.3, high=0.2).violations()


def test_a_language_is_selected_in_a_tag_and_the_trace_is_in_it():
    made = LangSelect()(Material([FR] * 1, [EN, JA]), 0)
    rows = [LangSelect()(Material([FR], [EN, JA]), seed)[0] for seed in range(30)]
    assert {row.trace_language for row in rows} == {"fr", "en", "ja"}
    by_code = {"fr": FR, "en": EN, "ja": JA}
    for row in (*made, *rows):
        code = row.trace_language
        assert row.completion == f"<lang_select>\n{code}\n</lang_select>\n{by_code[code].completion}"
        assert (row.question, row.language) == (FR.question, "fr")
    assert LangSelect(selectable=["ja"])(THREE, 0)[0].trace_language == "ja"
    assert [row.problem for row in LangSelect(selectable=["en"])(THREE, 0)] == ["p", "p"]


def test_of_the_models_answers_a_few_that_go_different_ways_are_added():
    def sample(trace, question=FR.question):
        return Example("p", "fr", question, "5", f"{trace}</think>\\boxed{{5}}")

    same = [sample("2+3=5."), sample("Donc 2+3=5 !")]
    others = [sample("3+2=5."), sample("5."), sample("2+3=5.", "Une autre ?")]
    made = Xrft()(Material([FR], samples=[*same, *others]), 0)
    assert made[0] == FR and len(made) == 5
    assert len(set(made) & set(same)) == 1 and set(others) < set(made)
    assert len(Xrft(per_question=1)(Material([FR], samples=[*same, *others]), 0)) == 3
    assert Xrft(languages=["ja"])(Material([FR], samples=same), 0) == []
    assert steps("12+3=15, 15</think>15") == ("12", "3", "15", "15")


def test_a_completion_is_its_trace_and_the_rest_and_both_together_are_it():
    assert thought_of("<think>\nA.\nB.\n\n</think>\n\n\\boxed{1}") == ("A.\nB.", "\n\n</think>\n\n\\boxed{1}")
    assert thought_of("A.") == ("A.", "")
    assert either("fr", "en", "fr") == "fr+en"


def test_rows_without_translations_are_an_error_that_says_what_is_needed():
    with pytest.raises(BadData, match="QAlign makes no example of 1 worked examples in fr. .* en among them"):
        mixed(QAlign(), Material([ALONE]), 0)
    assert mixed(QAlign(), Material([]), 0) == []


@pytest.mark.parametrize("name", sorted(set(choices("mix")) - {"xrft"}))
def test_every_mix_makes_rows_of_the_world_that_nothing_is_wrong_with(name):
    mix = compose("+experiment=sft", f"mix={name}", "mix.low=0.02" if name == "language_mixed" else "seed=0").mix
    rows = sft_examples(DataSpec(), WORLD, 3, mix)
    assert len(rows) == 12 and len(validation_examples(DataSpec(), WORLD, 3, mix)) == 20
    with Judge(DetectorSpec(), GraderSpec(), True) as judge:
        assert {item.reason for item in judge_examples(judge, rows)} == {""}
    assert sft_examples(DataSpec(), WORLD, 3, mix) == rows
    if name not in ("plain", "cross"):
        assert [row.language for row in rows] == ["fr"] * 6 + ["ja"] * 6


def test_a_trace_in_a_language_that_is_not_declared_is_a_fault():
    said = Example(
        "p", "fr", "Combien ?", "5", "We add three apples to two apples, which makes five.</think>\\boxed{5}"
    )
    declared = Example(**(vars(said) | {"trace_language": "en"}))
    with Judge(DetectorSpec(), GraderSpec(), True) as judge:
        verdicts = [item.reason for item in judge_examples(judge, [said, declared])]
    assert verdicts == ["language", ""]


def test_rows_of_ones_own_are_mixed_by_problem_and_keep_what_they_declare(tmp_path):
    path = tmp_path / "sft.jsonl"
    write_records(path, [FR, EN, JA, Example(**(vars(ALONE) | {"trace_language": "fr+en"}))])
    assert "trace_language" not in path.read_text().splitlines()[0]
    assert read_records(path, Example)[3].trace_languages == ("fr", "en")
    made = sft_examples(DataSpec(sft=str(path)), WORLD, 0, Parallel("en"))
    assert [(row.problem, row.language, row.trace_language) for row in made] == [
        ("p", "en", "fr"),
        ("p", "en", ""),
        ("p", "en", "ja"),
    ]
    path.write_text(
        '{"problem": 1, "language": "fr", "question": "?", "gold": 1, "completion": "x", "trace_language": "xx"}'
    )
    with pytest.raises(BadData, match="line 1, field 'trace_language'"):
        read_records(path, Example)

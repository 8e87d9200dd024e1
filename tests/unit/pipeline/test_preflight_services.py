"""What is said of services before a run: keys that are not set, questions without a reference."""

import pytest

from src.data.records import Example, Question, write_records
from src.data.world import documents
from src.pipeline.preflight.services import missing_keys, missing_references
from src.services.spec import EmbedderSpec, JudgeSpec, ServicesSpec
from tests.helpers.configs import compose

WORLD = documents.prompts(compose("+experiment=grpo").world, "ko", 2, seed=1)
OTHER = Question("p1", "fr", "Combien font 3 et 4 ?", "7")
ENGLISH = Question("p2", "en", "How much is 3 and 4?", "7")


def said(needs, questions, *overrides):
    return missing_references(compose("+experiment=grpo", *overrides), needs, questions)


def test_questions_of_the_world_have_references():
    assert said(["cosine"], WORLD) == ("", "")


def test_without_any_reference_the_run_does_not_start_and_without_some_it_says_so():
    problem, _ = said(["cosine"], [OTHER])
    assert "services.references must name a file of worked examples in en" in problem and "problem p1 (fr)" in problem
    problem, note = said(["cosine"], [*WORLD, OTHER])
    assert not problem and note.startswith("1 of 3 questions, such as problem p1 (fr), have no reference in en")


def test_references_of_a_file_are_those_of_the_same_problem(tmp_path):
    path = tmp_path / "references.jsonl"
    write_records(path, [Example("p1", "en", "How much?", "7", "Seven.</think>\\boxed{7}")])
    assert said(["agrees"], [OTHER], f"services.references={path}") == ("", "")
    problem, _ = said(["agrees"], WORLD, f"services.references={path}")
    assert "must hold examples in en with the ids of the questions" in problem


def test_a_question_in_the_pivot_language_or_that_is_translated_needs_no_reference_to_be_asked_in_it():
    assert said(["pivot"], [ENGLISH]) == ("", "") and said(["pivot"], [OTHER])[0]
    assert said(["pivot"], [OTHER], "services.translator.by=endpoint") == ("", "")


@pytest.mark.parametrize(("needs", "count"), [(["cosine"], 0), (["thought_alignment"], 1), ([], 0)])
def test_a_key_is_missed_where_it_is_used(needs, count, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    spec = ServicesSpec(
        judge=JudgeSpec(by="endpoint", key_variable="NO_SUCH_KEY"), embedder=EmbedderSpec(key_variable="NO_SUCH_KEY")
    )
    assert len(missing_keys(spec, needs)) == count

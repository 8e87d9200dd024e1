"""Drawing by problem: whole problems, each once an epoch, the same again for the same step."""

from collections import Counter

import pytest

from src.common.errors import UserError
from src.data.records import Question
from src.data.selection.by_problem import draw_by_problem, problems_of
from src.data.sources import grpo_questions
from src.data.spec import DataSpec
from src.data.world.spec import WorldSpec


def rows_of(*languages):
    """Questions of one problem for each text of languages, `ja fr` is one in two."""
    return [Question(f"p{n}", code, f"{n}{code}", "1") for n, codes in enumerate(languages) for code in codes.split()]


def problems(questions, indices):
    return Counter(questions[index].problem for index in indices)


def test_rows_of_a_problem_need_not_stand_together():
    questions = [Question("a", "ja", "1", "1"), Question("b", "ja", "2", "1"), Question("a", "fr", "3", "1")]
    assert problems_of(questions) == ((0, 2), (1,))


def test_a_step_has_whole_problems_and_an_epoch_each_once():
    questions = rows_of(*["ja fr es"] * 6)
    groups = problems_of(questions)
    steps = [draw_by_problem(groups, step, 0, 6, seed=3) for step in range(6)]
    for indices in steps:
        assert sorted(problems(questions, indices).values()) == [3, 3]
    assert sorted(index for indices in steps[:3] for index in indices) == list(range(18))
    assert sorted(index for indices in steps[3:] for index in indices) == list(range(18))
    assert steps[:3] != steps[3:]


def test_a_step_is_a_function_of_its_number_and_seed():
    groups = problems_of(rows_of(*["ja fr"] * 8))
    forward = [draw_by_problem(groups, step, 0, 4, seed=1) for step in range(5)]
    assert [draw_by_problem(groups, step, 0, 4, seed=1) for step in (4, 0, 2)] == [forward[4], forward[0], forward[2]]
    assert draw_by_problem(groups, 0, 0, 4, seed=2) != forward[0]
    later = draw_by_problem(groups, 0, 1, 4, seed=1)
    assert later == draw_by_problem(groups, 0, 1, 4, seed=1) and len(later) == 4


def test_a_problem_that_does_not_fit_waits_and_none_is_lost():
    questions = rows_of("ja fr es", "ja fr", "ja", "ja fr es", "ja fr", "ja")
    groups = problems_of(questions)
    drawn = [draw_by_problem(groups, step, 0, 4, seed=0) for step in range(9)]  # 36 rows: three epochs of 12
    for indices in drawn:
        whole = problems(questions, indices)
        assert len(indices) == 4 and all(count % len(groups[int(name[1:])]) == 0 for name, count in whole.items())
    counts = Counter(index for indices in drawn for index in indices)
    assert set(counts) == set(range(12)) and max(counts.values()) - min(counts.values()) <= 2


def test_a_size_that_problems_do_not_make_is_refused():
    groups = problems_of(rows_of(*["ja fr es"] * 4))
    with pytest.raises(UserError, match="got 8 with problems in 3 languages. Take a multiple of 3"):
        draw_by_problem(groups, 0, 0, 8, seed=0)


def test_the_world_asks_the_same_problems_in_every_language():
    world = WorldSpec(trained_languages=["ja", "fr", "es"])
    questions = grpo_questions(DataSpec(), world, 20, seed=5, by_problem=True)
    groups = problems_of(questions)
    assert {tuple(questions[index].language for index in rows) for rows in groups} == {("ja", "fr", "es")}
    assert len(groups) == len({question.problem for question in questions})
    apart = grpo_questions(DataSpec(), world, 20, seed=5)
    assert len({question.problem for question in apart}) > len(groups)

"""Leaks: the same text, the same problem in another language, and what the published sets are known to hold."""

import pytest

from src.commands.leaks import main
from src.data import leaks
from src.data.question_sets import read
from src.data.records import Question, write_records
from tests.helpers.paths import DATA


def shared(name, split=""):
    if not (DATA / name).is_dir():
        pytest.skip(f"no published data: {DATA / name} does not exist; set SHARED_DATA")
    return read(f"{name}{split}={DATA / name}")


def question(text, gold="7", language="en", problem="p"):
    return Question(problem, language, text, gold)


def several(rows):
    """The groups of same problems that have more than one language."""
    return [group for group in leaks.same_problems(rows) if len({rows[index].language for index in group}) > 1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("How many,  THEN ?", "how many then", True),
        ("ｘ＋１", "x+1", True),  # full width
        ("Find $x+1$.", "Find $x-1$.", False),
        ("in 5 days", "in 6 days", False),
    ],
)
def test_plain_collapses_blanks_punctuation_and_case_but_no_sign(one, other, same):
    assert (leaks.plain(one) == leaks.plain(other)) is same


def test_exact_leaks_give_the_first_row_of_a_for_each_row_of_b():
    a = [question("One?", problem="1"), question("Two?", problem="2"), question("two", problem="3")]
    b = [question("TWO ?", problem="4"), question("Three?", problem="5")]
    assert [(one.problem, other.problem) for one, other in leaks.exact_leaks(a, b)] == [("2", "4")]
    assert [(one.problem, other.problem) for one, other in leaks.duplicates(a)] == [("2", "3")]


def test_signature_holds_what_translation_leaves():
    english = question("He pays $80,000 and 25 cents for 3 houses.", "70000")
    assert leaks.signature(english) == (("numbers", "70000", "25", "3", "80000"),)
    for text in ("3 maisons, 25 et 80 000", "৩টি, ২৫ ও ৮০,০০০", "25, 3 und 80.000", "3, 25, 80{,}000"):
        assert leaks.signature(question(text, "70000.0")) == leaks.signature(english)
    formula = question(r"Soit \( \left( x^2 - 11x + k \right)^3 \).", "35")
    assert leaks.signature(formula)[1] == leaks.signature(question(r"ให้ $(x^2-11x+k)^3$ และ $y$", "35"))[1]


def test_too_little_information_is_no_signature():
    assert leaks.signature(question("Take 2 and 3", "5")) == ()  # three digits
    assert leaks.signature(question("Take $x^2$", "")) == ()
    assert leaks.signature(question("Take 12 and 3", "5"))  # four


def test_shared_keys_connect_a_group():
    rows = [
        question("Zahlen 1234 $a+b+c+d+e$", language="de"),
        question("nombres 1234", language="fr"),
        question("autres 9999", language="fr"),
        question("เลข $a + b + c + d + e$", language="th"),
    ]
    assert leaks.same_problems(rows) == [[0, 1, 3]]


def test_all_validation_prompts_stand_in_the_training_prompts():
    train, val = shared("dapo_math", "@train_5k"), shared("dapo_math", "@val")
    assert len(leaks.exact_leaks(train, val)) == len(val) == 250


def test_problems_of_the_training_prompts_in_several_languages():
    rows = shared("dapo_math", "@train_5k")
    assert abs(sum(map(len, several(rows))) - 2283) < 0.05 * 2283  # counted apart, by another criterion


def test_the_revised_mgsm_is_the_same_problems():
    old, new = shared("mgsm"), shared("mgsm_rev2")
    both = [*old, *new]
    groups = leaks.same_problems(both)
    assert all(len({both[index].problem for index in group}) == 1 for group in groups)
    problems = {both[index].problem for group in groups if group[0] < len(old) for index in group if index >= len(old)}
    assert len(problems) > 230  # of 250; the others have too few digits
    assert leaks.exact_leaks(old, [row for row in new if row.language == "ko"]) == []


def test_unrelated_sets_hardly_share_a_key():
    old, other = shared("mgsm"), shared("msvamp")
    groups = [group for group in leaks.same_problems([*old, *other]) if group[0] < len(old)]
    assert sum(index >= len(old) for group in groups for index in group) < 0.002 * len(other)


def test_the_command_reports_counts_and_examples(tmp_path, capsys):
    a, b = str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")
    write_records(
        a, [question("One 1234?", problem="a1"), question("Two?", problem="a2"), question("two", problem="a3")]
    )
    write_records(b, [question("Two!", problem="b1"), question("Un 1234 ?", language="fr", problem="b2")])
    assert main([a, b, "--show", "1"]) == 0
    text = capsys.readouterr().out
    assert "1 of 2  rows of B whose text stands in A" in text
    assert "1 of 2  other rows of B whose problem stands in A" in text
    assert "a2  Two?" in text and "b2  Un 1234 ?" in text
    assert main([a]) == 0
    assert "1 of 3  rows whose text stood before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mgms", "Did you mean 'mgsm'?"),
        ("mgsm@dev", "mgsm has no split 'dev'. It has test"),
        ("mgsm=nowhere", "benchmark.path must be a folder"),
        ("gpqa_diamond", "revision=None"),
        ("none.jsonl", "no such file"),
    ],
)
def test_a_set_that_is_not_there_is_named(name, message, capsys):
    assert main([name]) == 2
    assert message in capsys.readouterr().err

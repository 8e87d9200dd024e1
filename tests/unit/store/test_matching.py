"""Which rows of a run match, and in which order they come."""

import pyarrow
import pyarrow.parquet
import pytest

from src.common.errors import UserError
from src.store.matching import Filters, count, matching, ranges, records_of, rollouts_of
from src.store.rollouts import Damaged, rollouts_file
from tests.helpers.rollouts import write_records, write_steps

WRONG = {"correct": False, "status": "wrong", "answer": "6"}
STEPS = (
    [{"group": 0}, {"group": 0} | WRONG, {"group": 1, "language": "ja", "detected": "en", "in_language": False}],
    [
        {"group": 0, "detected": None, "truncated": True, "correct": False, "status": "unparsed", "answer": None},
        {"group": 1, "code_switched": True, "switches": ["11 fr>en"], "completion": "C'est ÉGAL à cinq."},
    ],
)


def places(source, **filters):
    """(step, group) of the rows that match."""
    rows = list(matching(source, Filters(**filters), ["step", "group"]))
    assert count(source, Filters(**filters)) == len(rows)
    return [(row["step"], row["group"]) for row in rows]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [(1, 0), (1, 0), (1, 1), (2, 0), (2, 1)]),
        ({"step": 2}, [(2, 0), (2, 1)]),
        ({"language": "ja"}, [(1, 1)]),
        ({"detected": "en"}, [(1, 1)]),
        ({"detected": "unknown"}, [(2, 0)]),
        ({"right": True}, [(1, 0), (1, 1), (2, 1)]),
        ({"right": False}, [(1, 0), (2, 0)]),
        ({"switched": True}, [(2, 1)]),
        ({"truncated": True}, [(2, 0)]),
        ({"group": "1"}, [(1, 1), (2, 1)]),
        ({"status": "unparsed"}, [(2, 0)]),
        ({"search": "c'est égal"}, [(2, 1)]),
        ({"search": "6"}, [(1, 0)]),  # an answer; null answers are no obstacle
        ({"search": ".*"}, []),  # text and no pattern
        ({"right": False, "step": 1, "language": "fr"}, [(1, 0)]),
        ({"language": "ja", "step": 2}, []),  # the run has it, this step has not
    ],
)
def test_filters_are_applied_and_order_is_kept(tmp_path, filters, expected):
    assert places(rollouts_of(write_steps(tmp_path, *STEPS)), **filters) == expected


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"step": 7}, "1-2; got 7"),
        ({"language": "xx"}, "fr, ja; got 'xx'"),
        ({"detected": "frr"}, "en, fr, unknown; got 'frr'. Did you mean 'fr'?"),
        ({"status": "timeout"}, "right, unparsed, wrong"),
        ({"group": "9"}, "0-1; got '9'"),
        ({"group": "one"}, "number of a prompt"),
        ({"search": "\udcff"}, "UTF-8"),
    ],
)
def test_what_the_run_does_not_have_is_an_error_that_lists_what_it_has(tmp_path, filters, message):
    source = rollouts_of(write_steps(tmp_path, *STEPS))
    with pytest.raises(UserError) as error:
        list(matching(source, Filters(**filters), ["step"]))
    assert message in str(error.value)


def test_records_match_by_problem_and_have_no_step(tmp_path):
    source = records_of(write_records(tmp_path, [{"problem": "a"}, {"problem": "b"} | WRONG]))
    assert [row["problem"] for row in matching(source, Filters(group="b"), ["problem"])] == ["b"]
    assert [row["problem"] for row in matching(source, Filters(right=True), ["problem"])] == ["a"]
    with pytest.raises(UserError, match="--step is of rollouts"):
        list(matching(source, Filters(step=1), ["problem"]))
    with pytest.raises(UserError, match="a, b; got 'c'"):
        list(matching(source, Filters(group="c"), ["problem"]))


def test_parts_of_the_reward_are_columns(tmp_path):
    run = write_steps(tmp_path, [{"reward_accuracy": 0.75}], parts=("accuracy",))
    assert list(matching(rollouts_of(run), Filters(), ["reward_accuracy"])) == [{"reward_accuracy": 0.75}]


def test_columns_of_later_versions_are_null_in_older_files(tmp_path):
    run = write_steps(tmp_path, [{}])
    path = rollouts_file(tmp_path / "grpo" / "rollouts", 1)
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).drop_columns(["switches", "alignment_factor"]), path)
    rows = list(matching(rollouts_of(run), Filters(), ["step", "switches", "alignment_factor"]))
    assert rows == [{"step": 1, "switches": None, "alignment_factor": None}]


def test_bytes_that_are_no_text_become_replacement_characters(tmp_path):
    run = write_steps(tmp_path, [{}])
    path = rollouts_file(tmp_path / "grpo" / "rollouts", 1)
    content = pyarrow.parquet.read_table(path)
    place = content.schema.get_field_index("completion")
    broken = pyarrow.array([b"a\xff\xed\xa0\x80b"]).view(
        pyarrow.string()
    )  # a lone surrogate, as some encoders write it
    pyarrow.parquet.write_table(content.set_column(place, content.schema.field(place), broken), path)
    [row] = matching(rollouts_of(run), Filters(language="fr"), ["completion"])
    assert row["completion"] == "a\ufffd\ufffd\ufffd\ufffdb"


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path):
    run = write_steps(tmp_path, [{}], [{}])
    path = rollouts_file(tmp_path / "grpo" / "rollouts", 1)
    path.write_bytes(path.read_bytes()[:100])
    source = rollouts_of(run)
    assert (source.damaged, source.total, source.steps) == ((path,), 1, (2,))


def test_damage_behind_the_footer_is_an_error_that_names_the_file(tmp_path):
    run = write_steps(tmp_path, [{"completion": "x" * 5000 + str(number)} for number in range(50)])
    path = rollouts_file(tmp_path / "grpo" / "rollouts", 1)
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(content)
    source = rollouts_of(run)
    with pytest.raises(Damaged, match="step-000001"):
        list(matching(source, Filters(), ["step", "group", "problem", "language", "question", "completion"]))


def test_a_run_without_files_is_an_error(tmp_path):
    with pytest.raises(UserError, match="must hold rollouts"):
        rollouts_of(tmp_path)
    with pytest.raises(UserError, match="must hold evaluation records"):
        records_of(tmp_path)


def test_ranges():
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"

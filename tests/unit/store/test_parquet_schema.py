"""One schema from the first file on, whatever its rows lack: all files of a folder are one table for any reader."""

import pandas
import pyarrow.dataset
import pytest

from src.store.records import EVALUATION, ROLLOUTS, rollout_columns, schema, table, write_table
from src.store.rollouts import write_rollouts

VALUES = {"string": "fr", "strings": ["5 fr>en"], "bool": True, "int64": 3, "float64": 0.5}


def row_of(columns, filled):
    """A row with a value in each column, or with none in any."""
    return {column.name: VALUES[column.type] if filled else None for column in columns}


@pytest.fixture(params=["empty first", "empty last", "no switches first"])
def folder(request, tmp_path):
    """Rollouts of three steps, of which one has columns without a value."""
    empty, full = (row_of(rollout_columns(["accuracy"]), filled) for filled in (False, True))
    orders = {
        "empty first": [empty, full, full],
        "empty last": [full, full, empty],
        "no switches first": [full | {"switches": [], "answer_detected": None}, full, empty],
    }
    for step, row in enumerate(orders[request.param], start=1):
        write_rollouts(tmp_path, step, [row], ["accuracy"])
    return tmp_path


def test_pandas_and_pyarrow_read_a_folder_of_steps(folder):
    frame = pandas.read_parquet(folder)
    assert len(frame) == 3 and frame["reward_accuracy"].notna().sum() == 2
    content = pyarrow.dataset.dataset(folder).to_table()
    assert content.schema.equals(schema(rollout_columns(["accuracy"]))) and content.num_rows == 3
    assert sorted(map(str, content["answer_detected"].to_pylist()))[-1] == "fr"


def test_duckdb_reads_a_folder_of_steps(folder):
    duckdb = pytest.importorskip("duckdb")
    ((count,),) = duckdb.sql(f"select count(answer_detected) from '{folder}/*.parquet'").fetchall()
    assert count in (1, 2)


def test_polars_reads_a_folder_of_steps(folder):
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(f"{folder}/*.parquet").height == 3


def test_datasets_reads_a_folder_of_steps(folder, tmp_path_factory):
    datasets = pytest.importorskip("datasets")
    cache = str(tmp_path_factory.mktemp("cache"))
    assert len(datasets.load_dataset("parquet", data_files=f"{folder}/*.parquet", split="train", cache_dir=cache)) == 3


def test_records_of_several_runs_are_one_table(tmp_path):
    for name, filled in (("a", False), ("b", True)):
        write_table(tmp_path / f"{name}.parquet", table([row_of(EVALUATION, filled)], EVALUATION), {"notes": [name]})
    assert len(pandas.read_parquet(tmp_path)) == 2
    assert pyarrow.dataset.dataset(tmp_path).to_table().schema.equals(schema(EVALUATION))


@pytest.mark.parametrize("columns", [ROLLOUTS, EVALUATION])
def test_no_column_is_of_the_type_of_nothing(columns):
    for rows in ([], [row_of(columns, False)]):
        assert table(rows, columns).schema.equals(schema(columns))
        assert not any("null" in str(field.type) for field in table(rows, columns).schema)

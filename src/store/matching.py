"""The rollouts, or evaluation records, of a run that match: filters are applied while the parquet files are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.errors import UserError, did_you_mean
from src.store.directory import RunDirectory
from src.store.records import EVALUATION, PART, Row, rollout_columns, schema
from src.store.rollouts import Damaged, rollouts_file, steps_of

if TYPE_CHECKING:
    import pyarrow

UNKNOWN = "unknown"  # how a trace without a detected language is asked for
SEARCHED = ("question", "completion", "gold", "answer")
LISTED = 30  # values that an error lists at most
BATCH = 256  # rows that are read ahead of what is shown


@dataclass(frozen=True)
class Filters:
    """What rows must be; None and False ask for nothing.

    `group` is the number of the prompt within its step, and of evaluation records the id of the problem. `right` False asks
    for those that are not right, whatever their status. `search` is text in the question, the completion, the gold answer or
    the answer that was read, in upper or lower case.
    """

    step: int | None = None
    language: str | None = None
    detected: str | None = None
    right: bool | None = None
    switched: bool = False
    truncated: bool = False
    group: str | None = None
    status: str | None = None
    search: str | None = None


@dataclass(frozen=True)
class Source:
    """Files of rollouts, one a step (`steps`), or the file of evaluation records. `total`: rows of all of them. `damaged`
    are files that cannot be read and do not count."""

    files: tuple[Path, ...]
    schema: pyarrow.Schema
    total: int
    steps: tuple[int, ...] = ()
    damaged: tuple[Path, ...] = ()
    evaluation: bool = field(default=False, kw_only=True)

    @property
    def group_column(self) -> str:
        """What `Filters.group` is compared with."""
        return "problem" if self.evaluation else "group"


def rollouts_of(run: Path) -> Source:
    """The rollouts of GRPO in a run directory, finished or running.

    Raises:
        UserError: there are none.
    """
    folder = RunDirectory(run).rollouts
    files = {rollouts_file(folder, step): step for step in steps_of(folder)}
    counted, damaged = _counted(list(files))
    if not counted:
        raise UserError(
            f"{run}: must hold rollouts of GRPO ({folder.relative_to(run)}/step-*.parquet); there are none yet"
        )
    parts = [name.removeprefix(PART) for name in _names(next(iter(counted))) if name.startswith(PART)]
    steps = tuple(files[path] for path in counted)
    return Source(tuple(counted), schema(rollout_columns(parts)), sum(counted.values()), steps, damaged)


def records_of(run: Path) -> Source:
    """The evaluation records of a run directory.

    Raises:
        UserError: there are none, or they cannot be read.
    """
    path = RunDirectory(run).records
    if not path.is_file():
        raise UserError(
            f"{run}: must hold evaluation records ({path.relative_to(run)}); there are none. Evaluate the run"
        )
    counted, damaged = _counted([path])
    if damaged:
        raise UserError(f"{path}: must be a parquet file of records; it is damaged. Evaluate the run again")
    return Source((path,), schema(EVALUATION), counted[path], evaluation=True)


def count(source: Source, filters: Filters) -> int:
    """How many rows match; the columns that no filter asks about are not read."""
    import pyarrow

    files = _files(source, filters)
    try:
        return int(_dataset(source, files).count_rows(filter=_condition(source, filters)))
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise _damaged(files, error) from None


def matching(source: Source, filters: Filters, columns: Sequence[str]) -> Iterator[Row]:
    """The rows that match, in the order of steps and, within one, of groups; read as they are asked for. A column that the
    files lack is null, and bytes that are no UTF-8 become replacement characters.

    Raises:
        UserError: a step, or where nothing matches a language, a status or a group, is none of the run's; the message lists
            those that are.
        Damaged: a file cannot be read.
    """
    import pyarrow
    import pyarrow.dataset

    _check_step(source, filters)
    condition = _condition(source, filters)
    names = [name for name in columns if name in source.schema.names]
    # Only as much is read as is asked for: records are one row group, whose text is many times what is shown.
    stream = pyarrow.dataset.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)
    nothing = True
    for file in _files(source, filters):
        try:
            scanner = _dataset(source, [file]).scanner(
                columns=names,
                filter=condition,
                batch_size=BATCH,
                batch_readahead=0,
                fragment_readahead=0,
                use_threads=False,
                fragment_scan_options=stream,
            )
            for batch in scanner.to_batches():
                nothing = nothing and not batch.num_rows
                yield from _rows(batch)
        except (OSError, pyarrow.ArrowInvalid) as error:
            raise _damaged([file], error) from None
    if nothing:
        _check_values(source, filters)


def values_of(source: Source, column: str) -> list[Any]:
    """The different values of a column in all files, ascending; null is `unknown`, at the end."""
    import pyarrow.compute

    values = pyarrow.compute.unique(_dataset(source, source.files).to_table(columns=[column])[column]).to_pylist()
    return sorted(value for value in values if value is not None) + [UNKNOWN] * (None in values)


def _condition(source: Source, filters: Filters) -> Any:
    """The filters as an expression of pyarrow; None where there are none."""
    import pyarrow.compute

    column = pyarrow.compute.field
    conditions = []
    if filters.language is not None:
        conditions.append(column("language") == filters.language)
    if filters.detected is not None:
        known = filters.detected != UNKNOWN
        conditions.append(column("detected") == filters.detected if known else column("detected").is_null())
    if filters.right is not None:
        conditions.append(column("correct") if filters.right else ~column("correct"))
    if filters.switched:
        conditions.append(column("code_switched"))
    if filters.truncated:
        conditions.append(column("truncated"))
    if filters.group is not None:
        conditions.append(column(source.group_column) == _group(source, filters.group))
    if filters.status is not None:
        conditions.append(column("status") == filters.status)
    if filters.search is not None:
        text = _searchable(filters.search)
        matches = [pyarrow.compute.match_substring(column(name), text, ignore_case=True) for name in SEARCHED]
        anywhere = pyarrow.compute.coalesce(matches[0], False)
        for match in matches[1:]:
            anywhere = anywhere | pyarrow.compute.coalesce(match, False)
        conditions.append(anywhere)
    whole = None
    for condition in conditions:
        whole = condition if whole is None else whole & condition
    return whole


def _group(source: Source, group: str) -> str | int:
    if source.evaluation:
        return group
    if not group.isdecimal() or len(group) > 18:
        raise UserError(f"--group must be the number of a prompt within its step; got {group!r}")
    return int(group)


def _searchable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError("--search must be text in UTF-8; it holds other bytes") from None
    return text


def _check_step(source: Source, filters: Filters) -> None:
    if filters.step is None or filters.step in source.steps:
        return
    if source.evaluation:
        raise UserError("--step is of rollouts; evaluation records have none. Leave it out, or leave out --evaluation")
    raise UserError(f"--step must be one of the run's, {ranges(source.steps)}; got {filters.step}")


def _check_values(source: Source, filters: Filters) -> None:
    """Nothing matches: a value that no row of the run has is a mistake."""
    asked = {
        "language": ("language", filters.language),
        "detected": ("detected", filters.detected),
        "status": ("status", filters.status),
        "group": (source.group_column, filters.group),
    }
    for option, (column, value) in asked.items():
        if value is None:
            continue
        values = values_of(source, column)
        wanted = _group(source, value) if option == "group" else value
        if wanted not in values:
            if all(isinstance(known, int) for known in values):
                listed = ranges(values)
            else:
                more = f", ... ({len(values)} in all)" if len(values) > LISTED else ""
                listed = ", ".join(map(str, values[:LISTED])) + more
            hint = did_you_mean(value, map(str, values))
            raise UserError(f"--{option} must be one of the run's, {listed}; got {value!r}.{hint}")


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as `1-3, 7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def _files(source: Source, filters: Filters) -> list[Path]:
    """Of all files that of the step, if one is asked for."""
    if filters.step is None:
        return list(source.files)
    return [file for file, step in zip(source.files, source.steps, strict=True) if step == filters.step]


def _dataset(source: Source, files: Sequence[Path]) -> Any:
    import pyarrow.dataset

    return pyarrow.dataset.dataset(list(map(str, files)), schema=source.schema, format="parquet")


def _counted(files: Sequence[Path]) -> tuple[dict[Path, int], tuple[Path, ...]]:
    """(rows of each file that can be read, the files that cannot)."""
    import pyarrow.parquet

    counted = {}
    damaged = []
    for path in files:
        try:
            counted[path] = pyarrow.parquet.read_metadata(path).num_rows
        except (OSError, ValueError):  # pyarrow's errors are kinds of these
            damaged.append(path)
    return counted, tuple(damaged)


def _names(path: Path) -> list[str]:
    import pyarrow.parquet

    return list(pyarrow.parquet.read_schema(path).names)


def _damaged(files: Sequence[Path], error: Exception) -> Damaged:
    place = str(files[0]) if len(files) == 1 else f"a file in {files[0].parent}"
    return Damaged(f"{place} cannot be read ({str(error).splitlines()[0]}). Give --step to read another")


def _rows(batch: pyarrow.RecordBatch) -> Iterator[Row]:
    columns = [_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def _values(column: Any) -> list[Any]:
    """The values of a column; text is decoded here, as pyarrow raises at bytes that are no UTF-8."""
    import pyarrow

    if pyarrow.types.is_string(column.type):
        return [
            None if value is None else value.decode(errors="replace")
            for value in column.cast(pyarrow.binary()).to_pylist()
        ]
    if pyarrow.types.is_list(column.type):
        lists = column.cast(pyarrow.list_(pyarrow.binary())).to_pylist()
        return [None if values is None else [(v or b"").decode(errors="replace") for v in values] for values in lists]
    return list(column.to_pylist())

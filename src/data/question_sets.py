"""A set of questions by its name, from the command line or a setting.

    dapo_math@train_5k                         a benchmark of `conf/benchmark/`, from the source pinned there
    dapo_math@train_5k=data/dapo_math          its files in a local folder
    dapo_math@val=hub:owner/name@<commit>      its files in a repository (hub: or github:) at a commit, [/folder]
    questions.jsonl                            a local file with the fields of `src.data.records.Question`, or `src.data.shapes`
    hub:owner/name@<commit>/questions.jsonl    such a file in a repository at a commit
    hub:owner/name@<commit>                    a split of a data set of the hub (`src.data.hub`)

Imports nothing heavy: the configuration asks for identities before anything starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from src.common.errors import UserError, nearest
from src.common.registry import choice, choices
from src.data.benchmarks.base import Benchmark, content_hash
from src.data.hub import is_remote, place_of
from src.data.readers import ENDINGS, BadData, ending_of
from src.data.records import Question, read_records
from src.data.world.spec import WorldSpec


class Unreadable(UserError):
    """A name that is neither a benchmark nor a JSONL file; the message names what there is."""


@dataclass(frozen=True)
class NamedSet:
    """One split of a benchmark, or a file of questions (`benchmark` is None)."""

    benchmark: Benchmark | None
    split: str
    file: str


def find(name: str) -> NamedSet:
    """The set of that name; nothing of it is read yet.

    Raises:
        Unreadable: there is no such benchmark or split, or the place is not what it should be.
    """
    if _is_file(name):
        if is_remote(name):
            _remote(name)
        return NamedSet(None, "", name)
    title, _, place = name.partition("=")
    title, _, split = title.partition("@")
    benchmark = _benchmark(title, place)
    splits = benchmark.splits()
    split = split or ("test" if "test" in splits else splits[0])
    if split not in splits:
        raise Unreadable(f"{title} has no split {split!r}. It has {', '.join(splits)}")
    return NamedSet(benchmark, split, "")


def read(
    name: str, languages: Sequence[str] = (), problems: int | None = None, world: WorldSpec | None = None
) -> list[Question]:
    """The questions of a set in `languages` (empty: all it has), of each the first `problems` (None: all).

    Raises:
        Unreadable: there is no such set.
        BadData: its files are not there, or not as they should be.
    """
    named = find(name)
    if named.benchmark is None:
        rows: list[Question] = read_records(name, Question)
        codes = list(dict.fromkeys(row.language for row in rows))
    else:
        codes = [code for code in named.benchmark.languages() if not languages or code in languages]
        rows = _questions(name, named, codes, world or WorldSpec(), problems)
    kept = [code for code in codes if not languages or code in languages]
    return [row for code in kept for row in [row for row in rows if row.language == code][:problems]]


def read_all(
    names: Sequence[str], languages: Sequence[str] = (), problems: int | None = None, world: WorldSpec | None = None
) -> list[Question]:
    """The questions of all sets. Of several, ids are preceded by the name of the set: equal ids are not one problem."""
    if len(names) == 1:
        return read(names[0], languages, problems, world)
    return [
        replace(row, problem=f"{title(name)}/{row.problem}")
        for name in names
        for row in read(name, languages, problems, world)
    ]


def title(name: str) -> str:
    """The name of a set without the local folder of its files."""
    if is_remote(name) or is_remote(name.partition("=")[2]):
        return name
    return Path(name).name if _is_file(name) else name.partition("=")[0]


def identity(name: str) -> str:
    """What the questions depend on, as a short text: the set and, of local files, the content, wherever they lie."""
    named = find(name)
    if named.benchmark is not None:
        return f"{named.split} of {named.benchmark.fingerprint()}"
    if is_remote(name):
        return name
    if not Path(name).is_file():
        raise Unreadable(f"{name}: no such file. A set is a benchmark, or a JSONL file of questions")
    return f"file {content_hash(Path(name))}"


def _questions(
    name: str, named: NamedSet, codes: Sequence[str], world: WorldSpec, problems: int | None
) -> list[Question]:
    assert named.benchmark is not None
    try:
        return named.benchmark.questions(named.split, codes, world, problems)
    except BadData as error:
        if "=" in name:
            raise
        raise BadData(f"{error}. In the name of a set, a folder of files stands so: {name}=<folder>") from None


def _is_file(name: str) -> bool:
    """Whether a name is that of a file, or of a data set in a repository, and not of a benchmark."""
    return is_remote(name) or ending_of(Path(name)) in ENDINGS


def _remote(text: str) -> tuple[str, str, str]:
    """(source, commit, path in the repository) of a place in a repository."""
    try:
        return place_of(text)
    except BadData as error:
        raise Unreadable(str(error)) from None


def _benchmark(name: str, place: str) -> Benchmark:
    """The benchmark of `conf/benchmark/<name>.yaml`, with its files at `place` if there is one; a run's configuration has no
    say in it, for it may be busy with another benchmark."""
    if name not in choices("benchmark"):
        raise Unreadable(f"no benchmark {name!r}. {nearest(name, choices('benchmark'))}, or a .jsonl file of questions")
    kind, settings = choice("benchmark", name)
    benchmark = kind(**settings | _place(place))
    assert isinstance(benchmark, Benchmark)
    if violations := benchmark.violations():
        raise Unreadable("\n".join(violations))
    return benchmark


def _place(place: str) -> dict[str, str | None]:
    """The settings of a benchmark whose files are in a folder or repository; none where it has its own source."""
    if not place:
        return {}
    if not is_remote(place):
        return {"path": place}
    source, revision, folder = _remote(place)
    return {"source": source, "revision": revision, "folder": folder, "path": None}

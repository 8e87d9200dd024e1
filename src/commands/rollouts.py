"""Read the rollouts of a run, or its evaluation records, with filters: `python -m src rollouts RUN`.

Prints what each was worth, the question, the gold answer and the answer that was read, and the trace in the colours of the
detected languages, `[fr>en]` where they change. A run may still be running. Without GRPO, its evaluation records are shown.
`--page FILE.html` writes a page of all that match, of any number of runs, to be browsed.
"""

from __future__ import annotations

import argparse
import itertools
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from src.common.console import fail, note
from src.common.errors import UserError
from src.common.visible import one_line
from src.config.paths import user_path
from src.reporting.rollout_text import Block, Reading, group, rollout, show, terminal
from src.store.directory import CONFIG, RunDirectory
from src.store.matching import UNKNOWN, Filters, Source, count, matching, records_of, rollouts_of
from src.store.records import PART, Row

LIMIT = 10  # rollouts, without --limit; of groups it is 1
VALUES = ("step", "language", "detected", "group", "status", "search")  # options with a value that filter
FLAGS = ("switched", "truncated")
COLUMNS = (
    *("step", "group", "split", "part", "problem", "sample", "language", "question", "completion", "gold", "answer"),
    *("rule", "status", "correct", "detected", "in_language", "code_switched", "switches", "sentences", "tokens"),
    *("truncated", "reward", "advantage", "alignment_factor", "alignment_term", "diversity_term", "trained"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code, 2 for a user's mistake."""
    options = _parser().parse_args(arguments)
    try:
        filters = Filters(
            step=options.step,
            language=options.language,
            detected=options.detected,
            right=options.right,
            switched=options.switched,
            truncated=options.truncated,
            group=options.group,
            status=options.status,
            search=options.search,
        )
        print(one_line(_printed(options, filters) if options.page is None else _page(options, filters)))
    except UserError as error:
        return fail(one_line(str(error)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m src rollouts", description=__doc__)
    parser.add_argument(
        "runs", type=user_path, metavar="RUN", nargs="+", help="a run directory; with --page any number"
    )
    parser.add_argument("--step", type=int, help="of this step of GRPO")
    parser.add_argument("--language", metavar="CODE", help="questions in this language")
    parser.add_argument("--detected", metavar="CODE", help=f"traces in this language, also other and {UNKNOWN}")
    verdict = parser.add_mutually_exclusive_group()
    verdict.add_argument("--right", action="store_const", const=True, help="right answers")
    verdict.add_argument("--wrong", action="store_const", const=False, dest="right", help="all others")
    parser.add_argument("--switched", action="store_true", help="traces in two or more languages")
    parser.add_argument("--truncated", action="store_true", help="cut off by the token budget")
    parser.add_argument(
        "--group", metavar="G", help="whole groups: of the prompt of this number, of records of this problem"
    )
    parser.add_argument("--status", help="right, wrong, unparsed, timeout or error")
    parser.add_argument("--search", metavar="TEXT", help="text in question, completion or answers, in any case")
    parser.add_argument(
        "--limit", type=int, help=f"how many to show (default {LIMIT}); with --group, groups (default 1)"
    )
    parser.add_argument("--whole", action="store_true", help="shorten nothing")
    parser.add_argument("--evaluation", action="store_true", help="evaluation records in place of rollouts")
    parser.add_argument(
        "--page",
        type=user_path,
        metavar="FILE.html",
        help="write a page of all that match, to be browsed, and show nothing",
    )
    return parser


def _printed(options: argparse.Namespace, filters: Filters) -> str:
    """Show the rollouts of the one run; the line to end with."""
    if len(options.runs) > 1:
        raise UserError("several runs are shown on a page: add --page FILE.html, or name one run")
    [options.run] = options.runs
    source = _source(options)
    units = _units(matching(source, filters, [*COLUMNS, *_parts(source)]), options)
    shown, last = _show(units, options, _reading(options.run, options.whole))
    matched = shown if next(units, None) is None else count(source, filters)
    return _last_line(shown, matched, source, options, last)


def _page(options: argparse.Namespace, filters: Filters) -> str:
    """Write a page of all rows of all runs that match; the line to end with."""
    from src.reporting.rollout_page import NEEDED, Rows, write_page

    if options.page.suffix.lower() not in (".html", ".htm") or options.page.is_dir():
        raise UserError(f"--page must be the name of a file that ends in .html; got {options.page}")
    if options.limit is not None or options.whole:
        raise UserError("--limit and --whole are of the terminal: a page holds all that match; leave them out")
    runs = list(dict.fromkeys(run.resolve() for run in options.runs))
    sources = [(run, source) for run in runs for source in _sources(run, options.evaluation)]
    kept = [(run, source) for run, source in sources if _counts(source, filters, options.evaluation)]
    if not kept:
        next(matching(sources[0][1], filters, ["language"]), None)  # tells which value no row has
        raise UserError("no rollout and no record matches; leave a filter out")
    names = dict(zip(runs, short_names(runs), strict=True))
    parts = list(dict.fromkeys(name for _, source in kept for name in _parts(source)))
    counts = write_page(
        options.page,
        f"Rollouts of {names[runs[0]] if len(runs) == 1 else f'{len(runs)} runs'}",
        [
            Rows(names[run], matching(source, filters, [*NEEDED, *_parts(source)]), _reading(run), source.evaluation)
            for run, source in kept
        ],
        [name.removeprefix(PART) for name in parts],
    )
    held = f"{counts.rollouts:,} rollouts and {counts.records:,} records of {len(runs)} run{'s' * (len(runs) > 1)}"
    return f"{options.page}: {held}, {counts.size / 1e6:.1f} MB"


def _counts(source: Source, filters: Filters, evaluation: bool) -> bool:
    """Whether anything of a source matches. Steps and groups are of rollouts, unless records are asked for."""
    if source.evaluation and not evaluation and (filters.step, filters.group) != (None, None):
        return False
    if filters.step is not None and filters.step not in source.steps:
        return False
    return count(source, filters) > 0


def _sources(run: Path, evaluation: bool) -> list[Source]:
    """The rollouts of a run and its evaluation records, or the latter alone."""
    directory = _directory(run, evaluation)
    readers = [rollouts_of] if directory.rollouts.is_dir() and not evaluation else []
    if directory.records.is_file() or evaluation:
        readers.append(records_of)
    return [_noted(reader(run)) for reader in readers]


def _directory(run: Path, evaluation: bool) -> RunDirectory:
    """A run directory that has rollouts, or records; with `evaluation` the reader of records looks for those."""
    directory = RunDirectory(run)
    if not run.is_dir():
        raise UserError(f"{run}: must be a run directory; there is none. `python -m src status` lists runs")
    if not evaluation and not directory.rollouts.is_dir() and not directory.records.is_file():
        raise UserError(f"{run}: must be a run directory with rollouts or evaluation records; it has none yet")
    return directory


def _noted(source: Source) -> Source:
    for path in source.damaged:
        note(f"{path} is damaged; its rollouts are left out")
    return source


def _parts(source: Source) -> list[str]:
    """The columns of the parts of the reward."""
    return [name for name in source.schema.names if name.startswith(PART)]


def short_names(runs: Sequence[Path]) -> list[str]:
    """The ends of different paths, of two folders or of as many as tell them apart.

    >>> short_names([Path("/runs/laptop/grpo/seed0"), Path("/runs/laptop/sft/seed0")])
    ['grpo/seed0', 'sft/seed0']
    """
    depth = 2
    while len(names := {str(Path(*run.parts[-depth:])): run for run in runs}) < len(runs):
        depth += 1
    return list(names)


def _source(options: argparse.Namespace) -> Source:
    if options.limit is not None and options.limit < 1:
        raise UserError(f"--limit must be 1 or more; got {options.limit}")
    directory = _directory(options.run, options.evaluation)
    if not options.evaluation and not directory.rollouts.is_dir():
        note("the run has no rollouts of GRPO; these are its evaluation records")
        options.evaluation = True
    return _noted(records_of(options.run) if options.evaluation else rollouts_of(options.run))


def _reading(run: Path, whole: bool = False) -> Reading:
    """What the configuration of the run says of its completions; the usual where there is none."""
    import yaml

    try:
        config = yaml.safe_load((run / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        config = None
    thinks = _at(config, "model", "thinks")
    form = _at(config, "objective", "advantage", "alignment", "form")
    return Reading(thinks=thinks is not False, multiplies=form == "multiply", whole=whole)


def _at(node: Any, *keys: str) -> Any:
    """The value at a path of a configuration; None where it has none."""
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _show(units: Iterator[list[Row]], options: argparse.Namespace, reading: Reading) -> tuple[int, Row | None]:
    """Print as many as are asked for; how many rollouts those are, and the last of them."""
    console = terminal()
    shown = 0
    last = None
    limit = options.limit or (LIMIT if options.group is None else 1)
    for members in itertools.islice(units, limit):
        blocks: Iterable[Block] = rollout(members[0], reading) if options.group is None else group(members, reading)
        show(blocks, console)
        print()
        shown += len(members)
        last = members[-1]
    return shown, last


def _units(rows: Iterator[Row], options: argparse.Namespace) -> Iterator[list[Row]]:
    """What is shown as one: a rollout, or all rollouts of a group that match."""
    if options.group is None:
        yield from ([row] for row in rows)
    elif options.evaluation:
        by_prompt: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            by_prompt.setdefault((row["split"], row["part"], row["language"]), []).append(row)
        yield from by_prompt.values()
    else:
        yield from (list(members) for _, members in itertools.groupby(rows, key=lambda row: row["step"]))


def _last_line(shown: int, matched: int, source: Source, options: argparse.Namespace, last: Row | None) -> str:
    """How many matched, and the command to go on with: more of them, the group of the only ones, or all again."""
    kind = "records" if source.evaluation else "rollouts"
    line = f"{shown:,} shown of {matched:,} that match, of {source.total:,} {kind}."
    if shown < matched:
        limit = options.limit or (LIMIT if options.group is None else 1)
        return f"{line} More: {_command(options, limit=str(2 * limit))}"
    if last is not None and options.group is None:
        place = {"step": last.get("step"), "group": last[source.group_column], "language": last["language"]}
        return f"{line} The group of the last: {_command(options, **place)}"
    return f"{line} All: {_command(options)}"


def _command(options: argparse.Namespace, limit: str | None = None, **filters: object) -> str:
    """This command with another limit and the same filters, or else with these `filters` alone."""
    values = {name: getattr(options, name) for name in VALUES} | {"limit": limit} if limit else filters
    flags = [name for name in FLAGS if limit and getattr(options, name)]
    flags += [] if not limit or options.right is None else ["right" if options.right else "wrong"]
    flags += [name for name in ("whole", "evaluation") if getattr(options, name)]
    words = ["python", "-m", "src", "rollouts", str(options.run), *(f"--{name}" for name in flags)]
    for name, value in values.items():
        if value is not None:  # a value that begins with `-` would be read as an option
            words += [f"--{name}={value}"] if str(value).startswith("-") else [f"--{name}", str(value)]
    return shlex.join(words)

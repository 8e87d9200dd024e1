"""One report of any finished runs: `python -m src report RUN RUN ... [--output DIR]`. Nothing is trained or evaluated again.

A run is its directory, or a folder of such directories called seed0, seed1, ... (all are taken); it may lie under any root.
Runs whose settings differ in the seed alone are one method. <name>=RUN gives a method a name, and makes the runs of one
name its seeds. The first run's method is set against all others, or that of --compared.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from src.common.console import fail
from src.common.errors import UserError, nearest
from src.config.paths import user_path
from src.store.directory import DONE, FILES, HEADLINE, PAGE, TABLE, Run
from src.store.finished import part_weights, same_questions, stamps


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; code 2 for a mistake in it, and for runs that are not comparable."""
    parser = argparse.ArgumentParser(prog="python -m src report", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a run directory, a folder of seed*, or <name>=<either>")
    parser.add_argument("--output", type=user_path, default=Path("report"), help="the folder of the report (report)")
    parser.add_argument("--compared", help="the method that is set against all others (that of the first run)")
    parser.add_argument("--title", help="of the report")
    options = parser.parse_args(arguments)
    try:
        _check_output(options.output)
        _write(options.runs, options.output, options.compared, options.title)
    except UserError as error:
        return fail(str(error))
    print((options.output / HEADLINE).read_text(encoding="utf-8"))
    print(f"tables: {options.output / TABLE}\nreport: {options.output / PAGE}")
    return 0


def _write(texts: Sequence[str], output: Path, compared: str | None, title: str | None) -> None:
    from src.reporting.joined import evaluated_differently, methods_of

    directories, names = _given(texts)
    methods = methods_of(directories, names)
    called = [method.name for method in methods]
    if compared is not None and compared not in called:
        raise UserError(f"--compared must be a method of these runs; got {compared!r}. {nearest(compared, called)}")
    same_questions({str(path.parent.parent): path for method in methods for path in method.records.values()})
    files = [path for method in methods for path in method.records.values()]
    part_weights(files)
    alone = all(len(method.runs) == 1 for method in methods)  # single runs are a pair whatever their seeds
    runs = [
        Run.of(method.runs[seed], method.name, 0 if alone else seed)
        for method in methods
        for seed in sorted(method.runs)
    ]
    from src.reporting.report import build_report

    build_report(
        output,
        title or f"{', '.join(called[:3])}{' and others' * (len(called) > 3)}",
        runs,
        compared=(compared or called[0]) if len(called) > 1 else None,
        command=shlex.join(["python", "-m", "src", "report", *texts]),
        notes=[*stamps(files), *evaluated_differently(methods)],
        about={f"runs of {method.name}": ", ".join(map(str, method.runs.values())) for method in methods},
    )


def _given(texts: Sequence[str]) -> tuple[list[Path], dict[Path, str]]:
    """The run directories, and the names of those that were given one."""
    from src.reporting.joined import directories

    runs: list[Path] = []
    names: dict[Path, str] = {}
    for text in texts:
        name, equals, place = text.partition("=")
        named = bool(equals and name) and "/" not in name and not user_path(text).exists()
        for run in directories(user_path(place if named else text)):
            runs.append(run)
            if named:
                names[run] = name
    return runs, names


def _check_output(output: Path) -> None:
    """Nothing of others is written over: a folder that is there must be empty, or hold a report of this command."""
    if output.exists() and not output.is_dir():
        raise UserError(f"--output must be a folder; {output} is a file. Give another name")
    if (output / DONE).is_file():
        raise UserError(f"--output must not be the report of a run; {output} is one. Give another folder")
    if output.is_dir() and any(output.iterdir()) and not (output / FILES).is_file():
        raise UserError(
            f"--output must be a new folder, or one with a report; {output} holds other files. Give another name"
        )

"""What a sweep came to: a table of all trials, and pictures of the search, the settings and the front."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.orchestration.sweep import early, figures
from src.orchestration.sweep.file import Sweep
from src.orchestration.sweep.results import Row, _settings, ranked
from src.orchestration.sweep.search import Known, importance
from src.orchestration.sweep.trials import Trial, values_of
from src.reporting import page, tables
from src.store.provenance import provenance

SHOWN = 10  # trials in the printed table
BESIDE = ("accuracy", "fidelity", "right_and_in_language", "tokens", "hypervolume")
WORDS = (
    "Each trial is one run with one seed, and the best of many is best in part by luck: run it again with other seeds, "
    "beside what it is to beat, before it is believed."
)
STOPPED = "Stopped trials come last: their values are of fewer steps, on fewer questions, and are not those of the end."


def write(
    folder: Path, sweep: Sweep, trials: Sequence[Trial], results: Mapping[int, Mapping[str, float]],
    failed: Mapping[int, str], command: str,
) -> str:  # fmt: skip
    """`report.md`, `report.html`, `table.csv` and pictures in `folder`; returns what to print."""
    rows = ranked(sweep, trials, results)
    (folder / "table.csv").write_text(_spreadsheet(sweep, rows, failed, trials), encoding="utf-8")
    counts = {
        "finished": sum(not row.trial.stopped_at for row in rows), "stopped early": sum(row.trial.stopped_at > 0 for row in rows),
        "failed": len(failed),
    }  # fmt: skip
    about = {
        "search": f"{sweep.method} over {len(sweep.parameters)} settings, {sweep.goal} {sweep.metric}",
        "trials": ", ".join(f"{count} {state}" for state, count in counts.items() if count or state == "finished"),
        "fixed": " ".join(trials[0].overrides[: -len(sweep.parameters)]) if trials else "",
        "command": command,
    } | provenance()
    lines = "\n".join(
        ["| | |", "|---|---|", *(f"| {key} | {str(value).replace('|', '/')} |" for key, value in about.items())]
    )
    sections = [page.Section("What was run", WORDS, lines)]
    shown = f"{sweep.name}: {about['search']}; {about['trials']}\n"
    if rows:
        pictures = {name: folder / f"{name}.png" for name in ("search", "parallel", "front")}
        figures.history(sweep, rows, pictures["search"])
        figures.parallel(sweep, rows, pictures["parallel"])
        split = sweep.metric.split("/")[0]
        figures.front(rows, split, pictures["front"])
        sections += [
            page.Section("Best trials", STOPPED if counts["stopped early"] else "", _markdown(sweep, rows, 2 * SHOWN)),
            page.Section("The search", "Values in the order they were asked for, and the best so far of those not stopped.", picture=pictures["search"]),
            page.Section("Settings", "A line for each trial, its colour the value; stopped ones are thin.", picture=pictures["parallel"]),
            page.Section("Front", f"Accuracy against fidelity, {split}; finished trials, the undominated ones joined.", picture=pictures["front"]),
        ]  # fmt: skip
        shares = importance(
            sweep,
            [Known(trial.point, results[trial.number][sweep.metric]) for trial in trials if trial.number in results],
        )
        if shares:
            path = folder / "importance.png"
            figures.importance(shares, path)
            sections.append(
                page.Section("Importance", "What sets the best quarter of the trials apart (PED-ANOVA).", picture=path)
            )
        shown += f"\n{tables.plain(_markdown(sweep, rows, SHOWN))}\n"
        if shares:
            shown += "\nimportance: " + ", ".join(f"{name} {share:.2f}" for name, share in shares.items()) + "\n"
        finished = [row for row in rows if not row.trial.stopped_at]
        on_the_way = [values_of(row.trial, sweep.metric) for row in finished]
        if found := early.signals(on_the_way, [row.value for row in finished], sweep.goal):
            words = "Trials that were not stopped: what their values on the way (evaluation.every) told of the end."
            sections.append(page.Section("Early values", words, early.table(found)))
        shown += f"\nthe best again, with another seed:\n  {again(rows[0].trial)}\n\n{WORDS}\n"
    (folder / "report.md").write_text(page.as_markdown(f"Sweep {sweep.name}", sections), encoding="utf-8")
    (folder / "report.html").write_text(page.as_html(f"Sweep {sweep.name}", sections), encoding="utf-8")
    return shown + f"report: {folder / 'report.html'}"


def again(trial: Trial) -> str:
    """The command of a trial, for another seed."""
    texts = [text for text in trial.overrides if not text.startswith(("seed=", "tracking="))]
    return f"python -m src.run {shlex.join(texts)} seed=<another>"


def _markdown(sweep: Sweep, rows: Sequence[Row], shown: int) -> str:
    """The first of the rows, with the settings that vary among all of them."""
    split = sweep.metric.split("/")[0]
    varied = [p.name for p in sweep.parameters if len({row.settings[p.name] for row in rows}) > 1 or len(rows) == 1]
    head = ["trial", sweep.metric, *(name for name in BESIDE if f"{split}/{name}" != sweep.metric), *varied]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows[:shown]:
        mark = f"{row.trial.number}" + (f" (stopped after {row.trial.stopped_at})" if row.trial.stopped_at else "")
        beside = [_number(row.results.get(f"{split}/{name}")) for name in BESIDE if f"{split}/{name}" != sweep.metric]
        lines.append("| " + " | ".join([mark, f"{row.value:.3f}", *beside, *(row.settings[n] for n in varied)]) + " |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}" if value > 1 else f"{value:.3f}"


def _spreadsheet(sweep: Sweep, rows: Sequence[Row], failed: Mapping[int, str], trials: Sequence[Trial]) -> str:
    """Every trial with its settings, all its results and its directory; the best first, failed ones last."""
    names = sorted({name for row in rows for name in row.results})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["trial", "state", *(p.name for p in sweep.parameters), *names, "directory"])
    for row in rows:
        state = f"stopped after {row.trial.stopped_at}" if row.trial.stopped_at else "finished"
        numbers = [f"{row.results[name]:.6g}" if name in row.results else "" for name in names]
        writer.writerow([row.trial.number, state, *row.settings.values(), *numbers, row.trial.directory])
    for number, error in failed.items():
        settings = _settings(sweep, trials[number])
        blank = [""] * len(names)
        writer.writerow([number, f"failed: {error}", *settings.values(), *blank, trials[number].directory])
    return buffer.getvalue()

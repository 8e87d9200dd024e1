"""What a sweep came to: a table of all trials, and pictures of the search, the settings and the front."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.common.tables import Table, pairs
from src.orchestration.sweep import early, figures
from src.orchestration.sweep.file import Sweep
from src.orchestration.sweep.results import Row, ranked, varied_settings
from src.orchestration.sweep.search import Observation, importance
from src.orchestration.sweep.trials import Trial, values_of
from src.reporting.page import Section, as_html, as_markdown
from src.store.directory import MARKDOWN, PAGE, SPREADSHEET
from src.store.provenance import provenance

SHOWN = 10  # trials in the printed table
BESIDE = ("accuracy", "fidelity", "right_and_in_language", "tokens", "hypervolume")
WORDS = (
    "Each trial is one run with one seed, and the best of many is best in part by luck: run it again with other seeds, "
    "beside what it is to beat, before it is believed."
)
STOPPED = "Stopped trials come last: their values are of fewer steps, on fewer questions, and are not those of the end."


def write(
    folder: Path,
    sweep: Sweep,
    trials: Sequence[Trial],
    results: Mapping[int, Mapping[str, float]],
    failed: Mapping[int, str],
    command: str,
) -> str:
    """`report.md`, `report.html`, `table.csv` and pictures in `folder`; returns what to print."""
    rows = ranked(sweep, trials, results)
    (folder / SPREADSHEET).write_text(_spreadsheet(sweep, rows, failed, trials).csv(line_end="\n"), encoding="utf-8")
    about = _about(sweep, rows, failed, trials)
    sections = [Section("What was run", WORDS, pairs(about | {"command": command} | provenance()))]
    text = f"{sweep.name}: {about['search']}; {about['trials']}\n"
    if rows:
        sections += _search_sections(folder, sweep, rows)
        text += f"\n{_best(sweep, rows, SHOWN).text()}\n"
        observations = [
            Observation(trial.point, results[trial.number][sweep.metric]) for trial in trials if trial.number in results
        ]
        if shares := importance(sweep, observations):
            path = folder / "importance.png"
            figures.importance(shares, path)
            words = "What sets the best quarter of the trials apart (PED-ANOVA)."
            sections.append(Section("Importance", words, picture=path))
            text += "\nimportance: " + ", ".join(f"{name} {share:.2f}" for name, share in shares.items()) + "\n"
        sections += _early_section(sweep, rows)
        text += f"\nthe best again, with another seed:\n  {again(rows[0].trial)}\n\n{WORDS}\n"
    (folder / MARKDOWN).write_text(as_markdown(f"Sweep {sweep.name}", sections), encoding="utf-8")
    (folder / PAGE).write_text(as_html(f"Sweep {sweep.name}", sections), encoding="utf-8")
    return text + f"report: {folder / PAGE}"


def _about(sweep: Sweep, rows: Sequence[Row], failed: Mapping[int, str], trials: Sequence[Trial]) -> dict[str, str]:
    """What was searched, how, and how the trials ended."""
    counts = {
        "finished": sum(not row.trial.stopped_at for row in rows),
        "stopped early": sum(row.trial.stopped_at > 0 for row in rows),
        "failed": len(failed),
    }
    return {
        "search": f"{sweep.method} over {len(sweep.parameters)} settings, {sweep.goal} {sweep.metric}",
        "trials": ", ".join(f"{count} {state}" for state, count in counts.items() if count or state == "finished"),
        "fixed": " ".join(trials[0].overrides[: -len(sweep.parameters)]) if trials else "",
    }


def _search_sections(folder: Path, sweep: Sweep, rows: Sequence[Row]) -> list[Section]:
    """The best trials, and pictures of the search, the settings and the front."""
    split = sweep.metric.split("/")[0]
    pictures = {name: folder / f"{name}.png" for name in ("search", "parallel", "front")}
    figures.history(sweep, rows, pictures["search"])
    figures.parallel(sweep, rows, pictures["parallel"])
    figures.front(rows, split, pictures["front"])
    best = "" if not any(row.trial.stopped_at for row in rows) else STOPPED
    search = "Values in the order they were asked for, and the best so far of those not stopped."
    settings = "A line for each trial, its colour the value; stopped ones are thin."
    front = f"Accuracy against fidelity, {split}; finished trials, the undominated ones joined."
    return [
        Section("Best trials", best, _best(sweep, rows, 2 * SHOWN)),
        Section("The search", search, picture=pictures["search"]),
        Section("Settings", settings, picture=pictures["parallel"]),
        Section("Front", front, picture=pictures["front"]),
    ]


def _early_section(sweep: Sweep, rows: Sequence[Row]) -> list[Section]:
    """What the values on the way told of the end, where enough trials went on to it."""
    finished = [row for row in rows if not row.trial.stopped_at]
    on_the_way = [values_of(row.trial, sweep.metric) for row in finished]
    signals = early.signals(on_the_way, [row.value for row in finished], sweep.goal)
    words = "Trials that were not stopped: what their values on the way (evaluation.every) told of the end."
    return [Section("Early values", words, early.table(signals))] if signals else []


def again(trial: Trial) -> str:
    """The command of a trial, for another seed."""
    texts = [text for text in trial.overrides if not text.startswith(("seed=", "tracking="))]
    return f"python -m src.run {shlex.join(texts)} seed=<another>"


def _best(sweep: Sweep, rows: Sequence[Row], shown: int) -> Table:
    """The first of the rows, with the settings that vary among all of them."""
    split = sweep.metric.split("/")[0]
    varied = [p.name for p in sweep.parameters if len({row.settings[p.name] for row in rows}) > 1 or len(rows) == 1]
    beside = [name for name in BESIDE if f"{split}/{name}" != sweep.metric]
    lines = []
    for row in rows[:shown]:
        mark = f"{row.trial.number}" + (f" (stopped after {row.trial.stopped_at})" if row.trial.stopped_at else "")
        numbers = [_number(row.results.get(f"{split}/{name}")) for name in beside]
        lines.append((mark, f"{row.value:.3f}", *numbers, *(row.settings[name] for name in varied)))
    return Table(("trial", sweep.metric, *beside, *varied), lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}" if value > 1 else f"{value:.3f}"


def _spreadsheet(sweep: Sweep, rows: Sequence[Row], failed: Mapping[int, str], trials: Sequence[Trial]) -> Table:
    """Every trial with its settings, all its results and its directory; the best first, failed ones last."""
    names = sorted({name for row in rows for name in row.results})
    lines = []
    for row in rows:
        state = f"stopped after {row.trial.stopped_at}" if row.trial.stopped_at else "finished"
        numbers = [f"{row.results[name]:.6g}" if name in row.results else "" for name in names]
        lines.append((str(row.trial.number), state, *row.settings.values(), *numbers, str(row.trial.directory)))
    for number, error in failed.items():
        settings = varied_settings(sweep, trials[number])
        blank = [""] * len(names)
        lines.append((str(number), f"failed: {error}", *settings.values(), *blank, str(trials[number].directory)))
    return Table(("trial", "state", *(p.name for p in sweep.parameters), *names, "directory"), lines)

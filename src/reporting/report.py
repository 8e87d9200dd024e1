"""From finished runs to a report: tables, pictures, samples, and what produced them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.analysis.published import PUBLISHED
from src.analysis.statistics import Cells, cells
from src.common.errors import UserError
from src.reporting import figures, page, tables
from src.store.directory import Run
from src.store.provenance import provenance
from src.store.rollouts import printable, read_rollouts, steps_of
from src.tracking.metrics_file import read_metrics

BY_LANGUAGE = ("accuracy", "fidelity", "right and in language", "LCPR", "code-switched", "tokens")
_PUBLISHED = (
    "Definitions of the evaluation published with AdaMame, over its 12 languages, never mixed with the others: "
    + "; ".join(f"{name}: {meaning}" for name, meaning in PUBLISHED.items())
)


def build_report(
    output: Path,
    title: str,
    runs: Sequence[Run],
    compared: str | None = None,
    expected: Path | None = None,
    command: str = "",
    tried: Sequence[dict[str, Any]] = (),
) -> None:
    """Write `report.md`, `report.html`, `table.txt`, `table.csv`, pictures and `files.json` to `output`; `tried` are rows
    on the values of settings that were chosen.

    Raises:
        UserError: no run is of the method `compared` (to be set against every other); records of methods or seeds do not belong together; a malformed
            line in `expected`.
    """
    import pandas
    from omegaconf import OmegaConf

    output.mkdir(parents=True, exist_ok=True)
    methods = list(dict.fromkeys(run.method for run in runs))
    if compared is not None and compared not in methods:
        raise UserError(f"compared {compared!r} must be one of the methods that ran: {', '.join(methods)}")
    records = {
        method: {run.seed: pandas.read_parquet(run.records) for run in runs if run.method == method}
        for method in methods
    }
    splits = list(dict.fromkeys(split for frames in records.values() for f in frames.values() for split in f["split"]))
    config: Any = OmegaConf.load(runs[0].config)
    data: dict[tuple[str, str], Cells] = {
        (m, s): cells(records[m], s, dict(config.benchmark.weights), _passes(records[m], s))
        for s in splits for m in methods
    }  # fmt: skip
    rows = tables.summary(data)

    some = next(iter(data.values()))
    about = _about(config, runs, some, command)
    sections = [page.Section("What was run", table=_two_columns(about))]
    if tried:
        sections.append(page.Section("Settings chosen on the dev split", table=tables.chosen(tried)))
    pictures = {}
    paired: dict[str, str] = {}
    if compared is not None and len(methods) > 1:
        paired = {split: tables.compared(data, compared, split) for split in splits}
    beside = tables.beside_expected(rows, expected) if expected is not None else ""
    details = {split: tables.details(rows, split) for split in splits}
    published = {split: table for split in splits if (table := tables.as_published(records, split))}
    for split in splits:
        pictures[f"pareto {split}"] = output / f"pareto-{split}.png"
        figures.pareto(rows, split, pictures[f"pareto {split}"])
        if len(methods) > figures.MANY:
            pictures[f"arms {split}"] = output / f"arms-{split}.png"
            figures.arms(rows, split, pictures[f"arms {split}"])
            sections.append(page.Section(f"All methods, {split}", picture=pictures[f"arms {split}"]))
        pictures[f"languages {split}"] = output / f"languages-{split}.png"
        figures.per_language(data, split, pictures[f"languages {split}"])
        sections.append(
            page.Section(
                f"Results, {split}", _caption(some, split), tables.markdown(rows, split), pictures[f"pareto {split}"]
            )
        )
        sections.append(page.Section(f"Details, {split}", table=details[split]))
        if split in published:
            sections.append(page.Section(f"As published, {split}", _PUBLISHED, published[split]))
        if len(methods) > 1:
            budget = float(config.rollout.maximum_new_tokens)
            sections.append(
                page.Section(
                    f"Fronts, {split}",
                    f"Accuracy, fidelity and -tokens together; volumes are shares of 1 x 1 x {budget:.0f} tokens.",
                    tables.fronts(rows, split, budget),
                )
            )
        if split in paired:
            sections.append(
                page.Section(
                    f"Paired differences, {split}",
                    "On the same seeds and problems; 95 % interval, and p of a test that flips signs of problems.",
                    paired[split],
                )
            )
        by_language = tables.markdown(rows, split, BY_LANGUAGE, languages=True) if len(methods) == 1 else ""
        sections.append(
            page.Section(f"By language, {split}", table=by_language, picture=pictures[f"languages {split}"])
        )
    curves = {m: [read_metrics(r.metrics) for r in runs if r.method == m and r.metrics] for m in methods}
    curves = {method: seeds for method, seeds in curves.items() if seeds and all(seeds)}
    if curves:
        pictures["training"] = output / "training.png"
        figures.training(curves, pictures["training"])
        sections.append(
            page.Section(
                "Training",
                "Accuracy and fidelity of the training rollouts, and the alignment factor.",
                picture=pictures["training"],
            )
        )
    for method, seeds in curves.items():
        if any(key.startswith("critical_bonus/") for line in seeds[0] for key in line):
            name = f"bonus {tables.label(method)}"
            pictures[name] = output / f"bonus-{tables.slug(method)}.png"
            figures.bonus(seeds, pictures[name])
            sections.append(page.Section(f"Critical bonus, {tables.label(method)}", picture=pictures[name]))
    if beside:
        sections.append(page.Section("Beside expected.csv", table=beside))
    for run in runs:
        if run.rollouts is not None and run.seed == runs[0].seed:
            sections.append(
                page.Section(f"Rollouts of {tables.label(run.method)}, seed {run.seed}", literal=_samples(run.rollouts))
            )

    files = {
        "report": output / "report.html", "markdown": output / "report.md", "table": output / "table.csv", **pictures,
    }  # fmt: skip
    shown = tables.terminal(rows, splits)
    if len(methods) == 1:
        for split in splits:
            shown += f"\ndetails, {split}:\n{tables.plain(details[split])}\n"
            if split in published:
                shown += f"\nas published, {split}:\n{tables.plain(published[split])}\n"
    shown += "".join(f"\npaired differences, {split}:\n{table}\n" for split, table in paired.items())
    if tried:
        shown += f"\nsettings chosen on the dev split:\n{tables.plain(tables.chosen(tried))}\n"
    if beside:
        shown += f"\nbeside expected.csv:\n{beside}\n"
    if len(runs) == 1 and runs[0].rollouts is not None:
        shown += "\na rollout of the last step:\n\n" + _samples(runs[0].rollouts)[-1] + "\n"
    (output / "table.txt").write_text(f"{title}\n{shown}", encoding="utf-8")
    (output / "table.csv").write_text(tables.spreadsheet(rows), encoding="utf-8")
    (output / "report.md").write_text(page.as_markdown(title, sections), encoding="utf-8")
    (output / "report.html").write_text(page.as_html(title, sections), encoding="utf-8")
    (output / "files.json").write_text(json.dumps({name: str(path) for name, path in files.items()}, indent=1))


def _passes(frames: dict[int, Any], split: str) -> list[int]:
    """The k of pass@k: as many as every problem has samples, when that is more than one."""
    counts = [frame[frame["split"] == split].groupby(["problem", "language"]).size().min() for frame in frames.values()]
    return [int(min(counts))] if min(counts) > 1 else []


def _about(config: Any, runs: Sequence[Run], some: Cells, command: str) -> dict[str, str]:
    about = {
        "methods": ", ".join(dict.fromkeys(tables.label(run.method) for run in runs)),
        "seeds": ", ".join(str(seed) for seed in dict.fromkeys(run.seed for run in runs)),
        "model": _model(config),
        "benchmark": _benchmark(config.benchmark),
        "evaluation": f"{len(some.problems)} problems, {len(some.languages)} languages, {_samples_of(runs[0])} completions",
        "scale": str(config.scale),
    }
    made = sorted({_commit_of(run.records.parent / "done.json") for run in runs} - {""})
    about |= {"evaluated at commit": ", ".join(made)} if made else {}
    return about | ({"command": command} if command else {}) | provenance()


def _model(config: Any) -> str:
    if config.benchmark.completions:
        return f"none: completions of {Path(config.benchmark.completions).name}"
    return f"world ({config.world.name})" if config.model.path == "world" else str(config.model.path)


def _benchmark(benchmark: Any) -> str:
    name = str(benchmark["_target_"]).rsplit(".", 1)[-1]
    where = f"{benchmark.source} at {benchmark.revision}" if benchmark.source and not benchmark.path else benchmark.path
    return f"{name} ({where})" if where else name


def _samples_of(run: Run) -> int:
    import pyarrow.parquet

    return int(pyarrow.parquet.read_metadata(run.records).num_rows)


def _commit_of(done: Path) -> str:
    """The commit a finished stage ran at, empty when it is not told."""
    return str(json.loads(done.read_text()).get("commit", "")) if done.is_file() else ""


def _caption(some: Cells, split: str) -> str:
    over = "seeds and problems" if len(some.seeds) > 1 else "problems (one seed: nothing is said about other seeds)"
    wording = " with wordings that SFT and GRPO never show" if split == "shift" else ""
    return f"{len(some.problems)} problems a language{wording}. Averages give every language the same weight; intervals are 95 % bootstrap over {over}."


def _two_columns(rows: dict[str, str]) -> str:
    return "\n".join(
        ["| | |", "|---|---|", *(f"| {key} | {str(value).replace('|', '/')} |" for key, value in rows.items())]
    )


def _samples(directory: Path, count: int = 2) -> list[str]:
    """A few completions of the first and of the last step."""
    steps = steps_of(directory)
    texts = []
    for step in dict.fromkeys([steps[0], steps[-1]]) if steps else []:
        rows = read_rollouts(directory, step)
        for row in rows[:: max(1, len(rows) // count)][:count]:
            texts.append(
                printable(
                    f"step {step}  query {row['language']}  reasoned in {row['detected']}  {row['status']}  "
                    f"reward {row['reward']}  language term {row['alignment_term']:+.2f}  advantage {row['advantage']:+.2f}\n"
                    f"> {row['question']}\n{row['completion']}"
                )
            )
    return texts

"""From finished runs to a report: tables, pictures, samples, and what produced them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.analysis.domains import ALL, NON_ENGLISH, SEEN, Seen, describe, domains_of, over
from src.analysis.dominance import Dominance, data_sets, dominance
from src.analysis.published import PUBLISHED
from src.analysis.statistics import Cells, cells, known
from src.common.errors import UserError
from src.common.tables import Table, pairs
from src.common.visible import visible
from src.reporting import dominance as dominance_tables
from src.reporting import figures, language_figures, tables
from src.reporting.flow import flow_of
from src.reporting.history import History, history_of
from src.reporting.joined import benchmark_of, model_of
from src.reporting.latex import as_latex
from src.reporting.page import Section, as_html, as_markdown
from src.reporting.selection import selected_sections
from src.reporting.summary import best_first, headline, sentence, summary
from src.reporting.tables import Row, label
from src.selectors.base import Selector
from src.store.directory import DOMINANCE, FILES, HEADLINE, LATEX, MARKDOWN, PAGE, SPREADSHEET, TABLE, Run
from src.store.provenance import provenance
from src.store.records import notes_of, seen_of
from src.store.rollouts import read_rollouts
from src.store.whole import check_source, done_of

BY_LANGUAGE = ("accuracy", "fidelity", "right and in language", "LCPR", "code-switched", "tokens")
UNUSED = ("question", "gold", "rule", "switches")  # columns of records
_NO_TRACE = "a dash: the completions mark no trace, or the release detects no such language on the benchmark"
_PUBLISHED = (
    "Definitions of the evaluation published with AdaMame, never mixed with the others: "
    + "; ".join(f"{name}: {meaning}" for name, meaning in PUBLISHED.items())
    + ". Over the languages it tells apart: on MGSM the 12, on other benchmarks ar, en, es, fr, ja, ko, pt, th, vi, zh. A dash: "
    "no language is among them, or no completion has a trace (`</think>`, or model.thinks=false), of which these metrics "
    "say nothing but that it passes."
)


@dataclass(frozen=True)
class Study:
    """What a report is about. `data`: (method, split) -> cells. `curves`: method -> lines of metrics of each seed.
    `details`, `published` and `paired`: tables by split. `dominance`: (compared, other) -> pairs of language and data set, with
    `quality` as the measure beside following. `notes`: what evaluations left for the reader. `chosen` and `expected`: tables of their own, where there are.
    `histories`: that of each run. `seen`: the languages that each method has seen in training, None where that is unknown; `domains`: what they are averaged over."""

    runs: Sequence[Run]
    methods: list[str]
    splits: list[str]
    config: Any
    data: dict[tuple[str, str], Cells]
    rows: list[Row]
    curves: dict[str, list[list[dict[str, Any]]]]
    details: dict[str, Table]
    published: dict[str, Table]
    paired: dict[str, Table]
    dominance: dict[tuple[str, str], Dominance]
    quality: str
    chosen: Table | None
    expected: Table | None
    notes: list[str]
    histories: list[History]
    seen: Mapping[str, Seen]
    domains: dict[str, tuple[str, ...]]


def build_report(
    output: Path,
    title: str,
    runs: Sequence[Run],
    compared: str | None = None,
    expected: Path | None = None,
    command: str = "",
    tried: Sequence[dict[str, Any]] = (),
    selectors: Mapping[str, Selector] | None = None,
    notes: Sequence[str] = (),
    about: Mapping[str, str] | None = None,
) -> None:
    """Write `report.md`, `report.html`, `headline.txt`, `table.txt`, `table.csv`, pictures and `files.json` to `output`; `tried`
    are rows on the values of settings that were chosen. What `selectors` choose, by name, is shown in a table of its own. `notes`
    stand before those of the evaluations, `about` behind what is told of the runs.

    Raises:
        UserError: no run is of the method `compared` (to be set against every other); records of methods or seeds do not
            belong together; a malformed line in `expected`.
    """
    output.mkdir(parents=True, exist_ok=True)
    study = _study(runs, compared, expected, tried, notes)
    pictures = _draw(study, output)
    sections = [
        _short_section(study, compared),
        *_notes_section(study),
        *_chosen_section(study),
        *(section for split in study.splits for section in _split_sections(study, split, pictures)),
        *_dominance_section(study),
        *(selected_sections(runs, study.splits, selectors, dict(study.config.benchmark.weights)) if selectors else []),
        *_training_sections(study, pictures),
        *_expected_section(study),
        *_rollout_sections(study),
        Section("What was run", table=pairs(_about(study, command, about or {}))),
    ]
    files = {
        "report": output / PAGE,
        "markdown": output / MARKDOWN,
        "table": output / SPREADSHEET,
        **pictures,
    }
    if study.dominance:
        files["dominance"] = output / DOMINANCE
        files["dominance"].write_text(
            dominance_tables.spreadsheet(study.dominance, study.quality), encoding="utf-8", newline=""
        )
    (output / HEADLINE).write_text(
        summary(title, study.rows, study.data, study.splits[0], compared, study.notes), encoding="utf-8"
    )
    (output / TABLE).write_text(f"{title}\n{_text(study)}", encoding="utf-8")
    (output / SPREADSHEET).write_text(tables.spreadsheet(study.rows), encoding="utf-8")
    (output / MARKDOWN).write_text(as_markdown(title, sections), encoding="utf-8")
    (output / PAGE).write_text(as_html(title, sections), encoding="utf-8")
    (output / LATEX).write_text(as_latex(sections), encoding="utf-8")
    (output / FILES).write_text(
        json.dumps({name: str(path) for name, path in files.items()}, indent=1), encoding="utf-8"
    )


def _study(
    runs: Sequence[Run],
    compared: str | None,
    expected: Path | None,
    tried: Sequence[dict[str, Any]],
    notes: Sequence[str],
) -> Study:
    """Read the runs and make their tables."""
    from omegaconf import OmegaConf

    methods = list(dict.fromkeys(run.method for run in runs))
    if compared is not None and compared not in methods:
        raise UserError(f"compared {compared!r} must be one of the methods that ran: {', '.join(methods)}")
    for run in runs:
        check_source(run.records)
    records = {method: {run.seed: _frame(run.records) for run in runs if run.method == method} for method in methods}
    splits = list(dict.fromkeys(split for frames in records.values() for f in frames.values() for split in f["split"]))
    config: Any = OmegaConf.load(runs[0].config)
    weights = dict(config.benchmark.weights)
    asked = list(config.evaluation.get("pass_at") or ())
    data = {
        (method, split): cells(records[method], split, weights, _passes(records[method], split, asked))
        for split in splits
        for method in methods
    }
    seen = {method: seen_of(run.records for run in runs if run.method == method) for method in methods}
    domains = domains_of(seen.values(), [code for cells in data.values() for code in cells.languages])
    rows = tables.summary(data, domains)
    histories = [history_of(run) for run in runs]
    curves = {
        m: [past.lines for run, past in zip(runs, histories, strict=True) if run.method == m and run.metrics]
        for m in methods
    }
    lost = [line for past in histories for line in past.notes]
    paired = {}
    if compared is not None and len(methods) > 1:
        paired = {split: tables.compared(data, compared, split, domains) for split in splits}
    quality = f"pass@{max(asked)}" if asked else "accuracy"
    return Study(
        runs=runs,
        methods=methods,
        splits=splits,
        config=config,
        data=data,
        rows=rows,
        curves={method: seeds for method, seeds in curves.items() if seeds and all(seeds)},
        details={split: tables.details(rows, split) for split in splits},
        published={split: table for split in splits if (table := tables.as_published(records, split, domains))},
        paired=paired,
        dominance=_dominance(data, compared, methods, splits, quality) if paired else {},
        quality=quality,
        chosen=tables.chosen(tried) if tried else None,
        expected=tables.beside_expected(rows, expected) if expected is not None else None,
        histories=histories,
        notes=list(dict.fromkeys([*notes, *(line for run in runs for line in notes_of(run.records)), *lost])),
        seen=seen,
        domains=domains,
    )


def _dominance(
    data: Mapping[tuple[str, str], Cells],
    compared: str | None,
    methods: Sequence[str],
    splits: Sequence[str],
    quality: str,
) -> dict[tuple[str, str], Dominance]:
    """Of the compared method over every other whose records tell what follows and that has a language in common."""
    assert compared is not None
    sets = {method: data_sets({split: data[method, split] for split in splits}) for method in methods}
    telling = [m for m in methods if all("following" in known(cells) for cells in sets[m].values())]
    results = {
        (compared, other): dominance(sets[compared], sets[other], quality)
        for other in telling
        if other != compared and compared in telling
    }
    return {names: result for names, result in results.items() if result.pairs}


def _frame(records: Path) -> Any:
    """The columns of the records that a report has use for."""
    import pandas
    import pyarrow.parquet

    names = pyarrow.parquet.read_schema(records).names
    return pandas.read_parquet(records, columns=[name for name in names if name not in UNUSED])


def _draw(study: Study, output: Path) -> dict[str, Path]:
    """Draw all pictures; name -> file."""
    pictures = {}
    for split in study.splits:
        pictures[f"pareto {split}"] = output / f"pareto-{split}.png"
        figures.pareto(study.rows, split, pictures[f"pareto {split}"])
        if len(study.methods) > figures.MANY:
            pictures[f"arms {split}"] = output / f"arms-{split}.png"
            figures.arms(study.rows, split, pictures[f"arms {split}"])
        pictures[f"heat map {split}"] = output / f"heat-map-{split}.png"
        language_figures.heat_map(study.rows, split, pictures[f"heat map {split}"], study.domains.get(SEEN, ()))
        pictures[f"languages {split}"] = output / f"languages-{split}.png"
        figures.per_language(study.data, split, pictures[f"languages {split}"], study.domains.get(SEEN, ()))
    if study.curves:
        pictures["training"] = output / "training.png"
        figures.training(study.curves, pictures["training"])
        if language_figures.languages_of(study.curves):
            pictures["training by language"] = output / "training-languages.png"
            language_figures.training_by_language(study.curves, pictures["training by language"])
        if language_figures.have_groups(study.curves):
            pictures["groups"] = output / "groups.png"
            language_figures.groups(study.curves, pictures["groups"])
    for method, folders in _with_rollouts(study).items():
        of_method = flow_of(folders)
        if of_method.shares:
            pictures[f"flow {label(method)}"] = output / f"flow-{tables.slug(method)}.png"
            language_figures.flow(of_method, label(method), pictures[f"flow {label(method)}"])
    for method, seeds in study.curves.items():
        if any(key.startswith("critical_bonus/") for line in seeds[0] for key in line):
            pictures[f"bonus {label(method)}"] = output / f"bonus-{tables.slug(method)}.png"
            figures.bonus(seeds, pictures[f"bonus {label(method)}"])
    return pictures


def _with_rollouts(study: Study) -> dict[str, list[Path]]:
    """The folders of rollouts of each method, of the first few methods where there are many."""
    folders: dict[str, list[Path]] = {}
    for run in study.runs:
        if run.rollouts is not None:
            folders.setdefault(run.method, []).append(run.rollouts)
    return dict(list(folders.items())[: figures.MANY])


def _short_section(study: Study, compared: str | None) -> Section:
    """What the report comes to on the first split: a row for each method, and what the paired test says."""
    split = study.splits[0]
    rows = [row for row in study.rows if (row.split, row.domain) == (split, ALL)]
    others = {row.method: row for row in study.rows if (row.split, row.domain) == (split, NON_ENGLISH)}
    words = f"Averages over all languages, {split}; correct and in language with its 95 % interval."
    words += f" {NON_ENGLISH}: that without English." if others else ""
    if compared is not None and len(rows) > 1 and (tested := sentence(study.data, split, compared, best_first(rows))):
        words += f" {' '.join(tested)}."
    return Section("In short", words, headline(rows, others))


def _chosen_section(study: Study) -> list[Section]:
    return [Section("Settings chosen on the dev split", table=study.chosen)] if study.chosen else []


def _split_sections(study: Study, split: str, pictures: Mapping[str, Path]) -> list[Section]:
    """All about one split: results, details, fronts, paired differences, languages."""
    sections = []
    if f"arms {split}" in pictures:
        sections.append(Section(f"All methods, {split}", picture=pictures[f"arms {split}"]))
    results = tables.results(study.rows, split)
    caption = _caption(study, split)
    sections.append(Section(f"Results, {split}", caption, results, pictures[f"pareto {split}"]))
    words = "A darker cell is lower. " + ("* seen in training." if study.domains.get(SEEN) else "")
    sections.append(Section(f"Languages and methods, {split}", words.strip(), picture=pictures[f"heat map {split}"]))
    sections.append(Section(f"Details, {split}", table=study.details[split]))
    if split in study.published:
        sections.append(Section(f"As published, {split}", _PUBLISHED, study.published[split]))
    if len(study.methods) > 1:
        budget = float(study.config.rollout.maximum_new_tokens)
        words = f"Accuracy, fidelity and -tokens together; volumes are shares of 1 x 1 x {budget:.0f} tokens."
        sections.append(Section(f"Fronts, {split}", words, tables.fronts(study.rows, split, budget)))
    if split in study.paired:
        words = "On the same seeds and problems; 95 % interval, and p of a test that flips signs of problems."
        sections.append(Section(f"Paired differences, {split}", words, study.paired[split]))
    by_language = None
    if len(study.methods) == 1:
        by_language = tables.results(study.rows, split, BY_LANGUAGE, languages=True)
    sections.append(Section(f"By language, {split}", table=by_language, picture=pictures[f"languages {split}"]))
    return sections


def _dominance_section(study: Study) -> list[Section]:
    words = (
        f"In how many pairs of language and data set a method is better in {study.quality} and in following both (strictly "
        "dominates), and worse in both; 95 % bootstrap over seeds and problems. Each pair stands in the CSV."
    )
    table = dominance_tables.counted(study.dominance)
    return [Section("Pareto dominance", words, table)] if study.dominance else []


def _training_sections(study: Study, pictures: Mapping[str, Path]) -> list[Section]:
    """The training curves, and the bonus of each method that estimates it."""
    sections = []
    if "training" in pictures:
        words = "Accuracy and fidelity of the training rollouts, and the alignment factor."
        sections.append(Section("Training", words, picture=pictures["training"]))
    if "training by language" in pictures:
        words = (
            "The same by language of the question, means over seeds; accuracy and fidelity are means over five steps."
        )
        sections.append(Section("Training by language", words, picture=pictures["training by language"]))
    if "groups" in pictures:
        words = (
            "The language term acts in a group where it changes any advantage. Where all advantages of a group are equal, "
            "nothing is learned of it."
        )
        sections.append(Section("Groups", words, picture=pictures["groups"]))
    for name in map(label, study.methods):
        if f"flow {name}" in pictures:
            words = (
                "Share of training rollouts by the language that their trace is in, for each language of the question."
            )
            sections.append(Section(f"Reasoning language, {name}", words, picture=pictures[f"flow {name}"]))
    for name in map(label, study.curves):
        if f"bonus {name}" in pictures:
            sections.append(Section(f"Critical bonus, {name}", picture=pictures[f"bonus {name}"]))
    return sections


def _notes_section(study: Study) -> list[Section]:
    return [Section("Notes", literal=list(map(visible, study.notes)))] if study.notes else []


def _expected_section(study: Study) -> list[Section]:
    return [Section("Beside expected.csv", table=study.expected)] if study.expected else []


def _rollout_sections(study: Study) -> list[Section]:
    """Samples of the first seed of each method."""
    return [
        Section(f"Rollouts of {label(run.method)}, seed {run.seed}", literal=_samples(run.rollouts, past.steps))
        for run, past in zip(study.runs, study.histories, strict=True)
        if run.rollouts is not None and past.steps and run.seed == study.runs[0].seed
    ]


def _text(study: Study) -> str:
    """The tables as plain text, those of one method in detail."""
    text = "".join(f"note: {visible(line)}\n" for line in study.notes) + tables.terminal(study.rows, study.splits)
    if len(study.methods) == 1:
        for split in study.splits:
            text += f"\ndetails, {split}:\n{study.details[split].text()}\n"
            if split in study.published:
                text += f"\nas published, {split} ({_NO_TRACE}):\n{study.published[split].text()}\n"
    for split, table in study.paired.items():
        text += f"\npaired differences, {split}:\n{table.markdown()}\n"
    if study.chosen:
        text += f"\nsettings chosen on the dev split:\n{study.chosen.text()}\n"
    if study.expected:
        text += f"\nbeside expected.csv:\n{study.expected.markdown()}\n"
    if len(study.runs) == 1 and study.runs[0].rollouts is not None and study.histories[0].steps:
        text += (
            "\na rollout of the last step:\n\n" + _samples(study.runs[0].rollouts, study.histories[0].steps)[-1] + "\n"
        )
    return text


def _passes(frames: dict[int, Any], split: str, asked: Sequence[int]) -> list[int]:
    """The k of pass@k: those asked for, and as many as every problem has samples, when that is more than one."""
    counts = [frame[frame["split"] == split].groupby(["problem", "language"]).size().min() for frame in frames.values()]
    return sorted({*asked, *([int(min(counts))] if min(counts) > 1 else [])})


def _about(study: Study, command: str, more: Mapping[str, str]) -> dict[str, str]:
    first = next(iter(study.data.values()))
    about = {
        "methods": ", ".join(dict.fromkeys(label(run.method) for run in study.runs)),
        "seeds": ", ".join(str(seed) for seed in dict.fromkeys(run.seed for run in study.runs)),
        "model": _models(study.runs),
        "benchmark": benchmark_of(study.config),
        "evaluation": (
            f"{len(first.problems)} problems, {len(first.languages)} languages, {_samples_of(study.runs[0])} completions"
        ),
        "languages seen in training": describe({label(method): codes for method, codes in study.seen.items()}),
        "scale": str(study.config.scale),
    }
    commits = sorted({str((done_of(run.records.parent) or {}).get("commit", "")) for run in study.runs} - {""})
    about |= {"evaluated at commit": ", ".join(commits)} if commits else {}
    return about | dict(more) | ({"command": command} if command else {}) | provenance()


def _models(runs: Sequence[Run]) -> str:
    """What was evaluated, by method where that differs."""
    from omegaconf import OmegaConf

    models = {label(run.method): model_of(OmegaConf.load(run.config)) for run in runs}  # type: ignore[arg-type]
    if len(set(models.values())) == 1:
        return next(iter(models.values()))
    return "; ".join(f"{name}: {model}" for name, model in models.items())


def _samples_of(run: Run) -> int:
    import pyarrow.parquet

    return int(pyarrow.parquet.read_metadata(run.records).num_rows)


def _caption(study: Study, split: str) -> str:
    data = next(cells for (_, where), cells in study.data.items() if where == split)
    sources = "seeds and problems" if len(data.seeds) > 1 else "problems (one seed: nothing is said about other seeds)"
    wording = " with wordings that SFT and GRPO never show" if split == "shift" else ""
    return (
        f"{len(data.problems)} problems a language{wording}. Averages give every language the same weight; intervals are "
        f"95 % bootstrap over {sources}. Languages of each average: {over(study.domains, data.languages)}."
    )


def _samples(directory: Path, steps: Sequence[int], count: int = 2) -> list[str]:
    """A few completions of each of the steps."""
    texts = []
    for step in steps:
        rows = read_rollouts(directory, step)
        for row in rows[:: max(1, len(rows) // count)][:count]:
            texts.append(
                visible(
                    f"step {step}  query {row['language']}  reasoned in {row['detected']}  {row['status']}  "
                    f"reward {row['reward']}  language term {row['alignment_term']:+.2f}  advantage {row['advantage']:+.2f}\n"
                    f"> {row['question']}\n{row['completion']}"
                )
            )
    return texts

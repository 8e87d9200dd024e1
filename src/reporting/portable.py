"""The results of a run in the form that lm-evaluation-harness writes, for whatever reads its files.

A task is `<benchmark>_<split>_<language>`. Nothing is written that the run does not know: no time, no prompt (records hold the
question), no machine, no number of problems that the benchmark has beside those that were asked.

`results.json`:

    results           by task, from the records: `<metric>,none` and `<metric>_stderr,none`. `exact_match` is our accuracy;
                      `in_language`, `right_and_in_language` and `tokens` have the names of the columns. Values are those of our
                      tables. The harness has no word for ours, so the filter is its `none`
    groups            `<benchmark>_<split>`, and without English `<benchmark>_<split>_non-en`: the averages of our tables, every
                      language with the same weight, and their bootstrap standard errors; where there are several languages
    group_subtasks    by group: the tasks it is over; by task: none
    configs           by task, from `config.yaml`: source of the benchmark, split, repeats, sampling
    versions          by task: the scoring rule stamped on the records
    n-shot            by task: 0; not of saved completions
    higher_is_better  by task: true for all but `tokens`, which has no better
    n-samples         by task, from the records: `effective`, the problems that were asked
    config            model, engine, limit and seed from `config.yaml`
    git_hash          commit that evaluated, from `done.json` of the evaluation
    model_name        the method

`samples_<task>.jsonl`, a line for each problem, from the records:

    doc_id            number of the problem within its split, the same in every language
    doc               `id`, `language`, `split`, `part`, `question` (where it is known), `answer`
    target            the gold answer; a letter of an option as `(B)`
    arguments         the question, before instruction and chat template, and how was sampled
    resps             the completions, one a sample
    filtered_resps    the answers that were read, `[invalid]` where there is none; of several samples a list
    filter, metrics   `none`, and the names of the metrics
    doc_hash, target_hash   SHA-256, as the harness has them
    <metric>          mean over the samples; null where a sample has none
    scores_per_repeat the values of each sample, where there are several
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src.analysis.domains import ALL, NON_ENGLISH, domains_of
from src.analysis.statistics import Cells, cells, macro, resampled
from src.data.formats import LETTERS
from src.store.directory import HARNESS_RESULTS, HARNESS_SAMPLES, Run
from src.store.whole import check_source, done_of

METRICS = {  # the harness's name -> column of the records
    "exact_match": "correct",
    "in_language": "in_language",
    "right_and_in_language": "right_and_in_language",
    "tokens": "tokens",
}
FILTER = "none"
INVALID = "[invalid]"  # what the harness writes for a completion without an answer
UNKNOWN = "N/A"  # what it writes for a standard error of a single problem
BATCH = 512  # rows of records that are Python objects at a time
_COUNTED = ("split", "part", "problem", "language", "line_pass", "word_pass", *METRICS.values())
_SHOWN = (
    *("split", "part", "problem", "language", "sample", "question", "completion", "gold", "answer"),
    *METRICS.values(),
)
_KEYS = ("split", "language", "problem", "sample")


def write_portable(output: Path, run: Run) -> None:
    """Write `results.json` and a `samples_<task>.jsonl` for each task of a finished evaluation to `output`.

    Raises:
        UserError: the records are not what the evaluation left, or cannot be averaged.
    """
    from omegaconf import OmegaConf

    check_source(run.records)
    config: Any = OmegaConf.to_container(OmegaConf.load(run.config))
    for old in output.glob(HARNESS_SAMPLES.format(task="*")):
        old.unlink()
    text = json.dumps(results_of(run, config), indent=2, ensure_ascii=False, allow_nan=False)
    (output / HARNESS_RESULTS).write_text(f"{text}\n", encoding="utf-8")
    of_task = groupby(
        samples_of(run.records, config), key=lambda sample: (sample["doc"]["split"], sample["doc"]["language"])
    )
    for (split, code), samples in of_task:
        with (output / HARNESS_SAMPLES.format(task=task_name(config, split, code))).open("w", encoding="utf-8") as file:
            for sample in samples:
                file.write(json.dumps(sample, ensure_ascii=False, allow_nan=False) + "\n")


def task_name(config: Any, split: str, language: str) -> str:
    """`<benchmark>_<split>_<language>`; of saved completions without a benchmark the name of their file stands first."""
    return f"{group_name(config, split)}_{language}"


def group_name(config: Any, split: str, domain: str = ALL) -> str:
    """`<benchmark>_<split>`, and of another domain than `all` its name behind it."""
    benchmark = config["benchmark"]
    name = str(benchmark["_target_"]).rsplit(".", 1)[-1].lower()
    if benchmark["completions"] and name == "world":
        name = re.sub(r"\W+", "-", Path(benchmark["completions"]).stem).strip("-").lower() or name
    return f"{name}_{split}" if domain == ALL else f"{name}_{split}_{domain}"


def results_of(run: Run, config: Any) -> dict[str, Any]:
    """The content of `results.json`."""
    import pandas

    frame = pandas.read_parquet(run.records, columns=list(_COUNTED))
    results: dict[str, dict[str, Any]] = {}
    configs: dict[str, dict[str, Any]] = {}
    asked: dict[str, dict[str, int]] = {}
    groups: dict[str, dict[str, Any]] = {}
    members: dict[str, list[str]] = {}
    rule = _scoring_rule(run.records)
    for split in dict.fromkeys(frame["split"]):
        data = cells({run.seed: frame}, split, config["benchmark"]["weights"])
        for code in data.languages:
            task = task_name(config, split, code)
            results[task] = {"alias": task} | _metrics(data, code)
            configs[task] = _task_config(config, task, split, code, rule)
            asked[task] = {"effective": int(data.present[:, data.languages.index(code)].sum())}
        for name, codes in _groups(data).items():
            group = group_name(config, split, name)
            groups[group] = {"alias": group} | _averages(data, codes)
            members[group] = [task_name(config, split, code) for code in codes]
    better = {metric: True for metric in METRICS if metric != "tokens"}
    commit = (done_of(run.records.parent) or {}).get("commit")
    return {
        "results": results,
        **({"groups": groups} if groups else {}),
        "group_subtasks": members | {task: [] for task in results},
        "configs": configs,
        **({"versions": dict.fromkeys(results, rule)} if rule else {}),
        "n-shot": {} if config["benchmark"]["completions"] else dict.fromkeys(results, 0),
        "higher_is_better": dict.fromkeys(results, better),
        "n-samples": asked,
        "config": _run_config(config, run.seed),
        **({"git_hash": commit} if commit else {}),
        "model_name": run.method,
    }


def samples_of(records: Path, config: Any) -> Iterator[dict[str, Any]]:
    """The lines of all `samples_<task>.jsonl`, task after task; a batch of records at a time is in memory as objects."""
    sampling = _sampling(config) or {}

    def key(placed: tuple[int, dict[str, Any]]) -> tuple[str, str, int]:
        number, row = placed
        return row["split"], row["language"], number

    for (_, _, number), placed in groupby(_in_order(records), key=key):
        yield _sample(number, [row for _, row in placed], sampling)


def standard_error(values: ArrayLike, weights: ArrayLike, strata: Sequence[str]) -> float | None:
    """Standard error of a weighted mean over problems, each stratum apart: sqrt(sum_s (W_s / W)^2 v_s / n_s) with v_s the
    sample variance; of one stratum that of the harness. None where a stratum has one problem.

    >>> standard_error([1, 0, 1, 1], [1, 1, 1, 1], ["", "", "", ""])
    0.25
    """
    numbers, weighed, names = np.asarray(values, float), np.asarray(weights, float), np.asarray(strata)
    square = 0.0
    for name in dict.fromkeys(strata):
        own = names == name
        if own.sum() < 2:
            return None
        square += float((weighed[own].sum() / weighed.sum()) ** 2 * numbers[own].var(ddof=1) / own.sum())
    return float(np.sqrt(square))


def _metrics(data: Cells, code: str) -> dict[str, Any]:
    """The values of a language, as `src.analysis.statistics.macro` has them; a metric that nobody counted is left out."""
    there = data.present[:, data.languages.index(code)]
    weights = data.weights[there]
    parts = np.array(data.parts)[there] if data.part_weights is not None else np.full(int(there.sum()), "")
    metrics: dict[str, Any] = {}
    for metric, column in METRICS.items():
        values = data.values[column][0][there, data.languages.index(code)]
        if np.isnan(values).any():
            continue
        error = standard_error(values, weights, parts.tolist())
        metrics[f"{metric},{FILTER}"] = float((values * weights).sum() / weights.sum())
        metrics[f"{metric}_stderr,{FILTER}"] = UNKNOWN if error is None else error
    return metrics


def _groups(data: Cells) -> dict[str, list[str]]:
    """The domains that are averages of several languages, each with those of the data."""
    domains = domains_of([], data.languages)
    there = {name: [code for code in data.languages if code in domains.get(name, ())] for name in (ALL, NON_ENGLISH)}
    return {name: codes for name, codes in there.items() if codes and len(data.languages) > 1}


def _averages(data: Cells, codes: Sequence[str]) -> dict[str, Any]:
    over = resampled(data)
    metrics: dict[str, Any] = {}
    for metric, column in METRICS.items():
        if not np.isnan(data.values[column]).all():
            values = macro(data, column, codes, over)
            metrics[f"{metric},{FILTER}"] = float(values[0])
            metrics[f"{metric}_stderr,{FILTER}"] = float(values[1:].std(ddof=1)) if len(data.problems) > 1 else UNKNOWN
    return metrics


def _task_config(config: Any, task: str, split: str, code: str, rule: int | None) -> dict[str, Any]:
    benchmark = config["benchmark"]
    source = {"dataset_path": benchmark["source"]} if benchmark["source"] and not benchmark["path"] else {}
    revision = {"dataset_kwargs": {"revision": benchmark["revision"]}} if source and benchmark["revision"] else {}
    sampling = _sampling(config)
    of_model = {"num_fewshot": 0, "repeats": config["evaluation"]["samples"], "generation_kwargs": sampling}
    aggregation = [
        {"metric": metric, "aggregation": "mean"} | ({} if metric == "tokens" else {"higher_is_better": True})
        for metric in METRICS
    ]
    return {
        "task": task,
        **source,
        **revision,
        "test_split": split,
        "output_type": "generate_until",
        **(of_model if sampling else {}),
        "metric_list": aggregation,
        "metadata": {"language": code} | ({"version": rule} if rule else {}),
    }


def _run_config(config: Any, seed: int) -> dict[str, Any]:
    """Of saved completions the model is unknown, and so is how was sampled."""
    if config["benchmark"]["completions"]:
        return {"model": "saved completions"}
    path = config["model"]["path"]
    base = (
        f"world ({config['world']['name']})"
        if path == "world"
        else Path(path).name
        if Path(path).is_absolute()
        else path
    )
    return {
        "model": config["rollout"]["engine"],
        "model_args": {"pretrained": base, "dtype": config["model"]["dtype"]},
        "limit": config["evaluation"]["problems"],
        "gen_kwargs": _sampling(config),
        "random_seed": seed,
    }


def _sampling(config: Any) -> dict[str, Any] | None:
    """How completions were sampled, in the harness's words; None of saved ones."""
    if config["benchmark"]["completions"]:
        return None
    rollout, evaluation = config["rollout"], config["evaluation"]
    chosen = {
        name: rollout[name] if evaluation[name] is None else evaluation[name] for name in ("temperature", "top_p")
    }
    greedy = chosen["temperature"] == 0
    cut = {name: rollout[name] for name in ("top_k", "min_p") if rollout[name] and not greedy}
    return {"do_sample": not greedy, **chosen, **cut, "max_gen_toks": rollout["maximum_new_tokens"]}


def _scoring_rule(records: Path) -> int | None:
    import pyarrow.parquet

    stamped = (pyarrow.parquet.read_schema(records).metadata or {}).get(b"scoring")
    return int(json.loads(stamped)["scoring rule"]) if stamped else None


def _in_order(records: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(`doc_id`, row) of every record, those of a task together and in it those of a problem."""
    import pyarrow.parquet

    number, order = _order(pyarrow.parquet.read_table(records, columns=list(_KEYS)))
    if (order == np.arange(len(order))).all():
        batches = pyarrow.parquet.ParquetFile(records).iter_batches(BATCH, columns=list(_SHOWN))
    else:
        table = pyarrow.parquet.read_table(records, columns=list(_SHOWN))
        batches = (table.take(order[start : start + BATCH]) for start in range(0, len(order), BATCH))
    done = 0
    for batch in batches:
        rows = batch.to_pylist()
        yield from zip(number[order[done : done + len(rows)]].tolist(), rows, strict=True)
        done += len(rows)


def _order(keys: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each row's problem within its split, by first appearance; and the rows by task, problem and sample."""
    split, language, problem = (_numbered(keys[name]) for name in _KEYS[:3])
    number = np.empty(len(split), dtype=np.int64)
    for one in np.unique(split):
        number[split == one] = _by_appearance(problem[split == one])
    task = _by_appearance(split * (language.max(initial=0) + 1) + language)
    return number, np.lexsort((keys["sample"].to_numpy(), number, task))


def _numbered(column: Any) -> NDArray[np.int64]:
    numbers = column.combine_chunks().dictionary_encode().indices
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.int64)


def _by_appearance(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Values as numbers from 0, in order of first appearance."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])


def _sample(number: int, rows: Sequence[dict[str, Any]], sampling: dict[str, Any]) -> dict[str, Any]:
    """The line of a problem in one language, from the records of its samples."""
    first = rows[0]
    doc = {"id": first["problem"], "language": first["language"], "split": first["split"], "part": first["part"] or ""}
    doc |= {"question": first["question"]} if first["question"] else {}
    doc["answer"] = first["gold"]
    target = f"({first['gold']})" if first["gold"] in set(LETTERS) else first["gold"]
    answers = [INVALID if row["answer"] is None else row["answer"] for row in rows]
    scores = {
        metric: [None if row[of_it] is None else float(row[of_it]) for row in rows] for metric, of_it in METRICS.items()
    }
    sample = {
        "doc_id": number,
        "doc": doc,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": first["question"] or "", "arg_1": sampling}},
        "resps": [[row["completion"] for row in rows]],
        "filtered_resps": answers if len(rows) == 1 else [answers],
        "filter": FILTER,
        "metrics": list(METRICS),
        "doc_hash": _hash(json.dumps(doc, indent=2, ensure_ascii=False)),
        "target_hash": _hash(target),
        **{metric: _mean(values) for metric, values in scores.items()},
    }
    return sample | ({"scores_per_repeat": scores} if len(rows) > 1 else {})


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

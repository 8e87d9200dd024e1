"""What a run came to, as numbers with names: the values that a search over settings optimises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path

from src.analysis.domains import ALL, domains_of
from src.analysis.pareto import normalised_hypervolume
from src.analysis.statistics import METRICS, Cells, cells, macro, resampled
from src.store.records import seen_of
from src.store.whole import check_source

NAMES = (*(metric.lower().replace(" ", "_").replace("-", "_") for metric in METRICS), "hypervolume")


def run_values(records: Path, budget: int, part_weights: Mapping[str, float] | None = None) -> dict[str, float]:
    """`<split>/<metric>`, over all languages with equal weight, and `<split>/<metric>/<language>`; where the records
    tell which languages were seen in training, `<split>/<metric>/seen` and `/unseen`; where English is one of several
    languages, `<split>/<metric>/non-en` over the others.

    The metrics are those of the tables, in lower case with underscores, and `hypervolume`: accuracy x fidelity x (1 - tokens /
    budget), each 0 when not above 0. Equal to the value of the tables, domain `all`. `records` is the `records.parquet` of an
    evaluation, `budget` its `rollout.maximum_new_tokens`, `part_weights` its `benchmark.weights`. What nobody counted (tokens
    of saved completions) has no name here.

    Raises:
        RecordsError: the records cannot be averaged.
        UserError: the budget is not above 0.
    """
    import pandas

    check_source(records)
    frame = pandas.read_parquet(records)
    seen = seen_of([records])
    values: dict[str, float] = {}
    for split in dict.fromkeys(frame["split"]):
        data = cells({0: frame}, split, part_weights)
        values |= {f"{split}/{name}": value for name, value in _of_languages(data, data.languages, budget).items()}
        for domain, members in domains_of([seen], data.languages).items():
            codes = [code for code in members if code in data.languages and domain != ALL]
            of_domain = _of_languages(data, codes, budget) if codes else {}
            values |= {f"{split}/{name}/{domain}": value for name, value in of_domain.items()}
        for code in sorted(data.languages):
            values |= {f"{split}/{name}/{code}": value for name, value in _of_languages(data, (code,), budget).items()}
    return values


def _of_languages(data: Cells, languages: Sequence[str], budget: int) -> dict[str, float]:
    over = resampled(data, resamples=0)
    metrics = {metric: float(macro(data, metric, languages, over)[0]) for metric in METRICS}
    volume = normalised_hypervolume([(metrics["accuracy"], metrics["fidelity"], metrics["tokens"])], budget)
    named = dict(zip(NAMES, (*metrics.values(), volume if isfinite(metrics["tokens"]) else nan), strict=True))
    return {name: value for name, value in named.items() if isfinite(value)}

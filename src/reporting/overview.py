"""Many methods in one table: results, the paired difference to one of them, and what each cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from src.analysis.statistics import Cells, differences, estimate, macro, resampled
from src.common.tables import Table
from src.reporting.paired import signed
from src.reporting.spent import Spent
from src.reporting.tables import label

METRICS = ("accuracy", "fidelity", "right and in language")


def overview(
    methods: Mapping[str, Cells], compared: str, costs: Mapping[str, Sequence[Spent]], languages: Sequence[str]
) -> Table:
    """A row for each method, over `languages`: the metrics with 95 % intervals, right and in language minus that of `compared` on the same
    seeds and problems, and seconds and thousands of sampled tokens, mean over seeds (`costs`: one for each seed)."""
    rows = []
    for method, cells in methods.items():
        over = resampled(cells)
        values = [estimate(macro(cells, metric, languages, over)).text() for metric in METRICS]
        difference = "-"
        if method != compared:
            difference = signed(differences(cells, methods[compared], METRICS[-1], languages))
        rows.append((label(method), *values, difference, *_cost(costs[method])))
    minus = f"{METRICS[-1]} minus {label(compared)}"
    return Table(("method", *METRICS, minus, "training s", "sampled tokens, thousands"), rows)


def _cost(costs: Sequence[Spent]) -> tuple[str, str]:
    seconds = sum(cost.seconds for cost in costs) / len(costs)
    tokens = sum(cost.tokens for cost in costs) / len(costs)
    return f"{seconds:.0f}", f"{tokens / 1000:.0f}"

"""Statistics by hand, tables, tracker and page."""

import json

import numpy as np
import pandas
import pytest

from src.analysis.pareto import front
from src.analysis.statistics import cells, differences, estimate, macro, weights
from src.reporting import page, tables
from src.reporting.report import compose_report
from src.store.directory import Run
from src.store.provenance import commit, provenance
from src.store.rollouts import printable, read_rollouts, steps_of, truncate_rollouts, write_rollouts
from src.tracking.glossary import UnknownMetric, require
from src.tracking.metrics_file import read_metrics
from src.tracking.spec import TrackingSpec
from src.tracking.tracker import Tracker


def records(right, passes=(True, True), problems=4, languages=("fr", "en")):
    """Records in which problem p of each language is right when `right(p, language)`."""
    rows = []
    for code in languages:
        for number in range(problems):
            correct = bool(right(number, code))
            rows.append(
                {
                    "split": "test", "problem": f"p{number}", "language": code, "sample": 0, "correct": correct,
                    "in_language": code == "fr", "right_and_in_language": correct and code == "fr", "line_pass": passes[0],
                    "word_pass": passes[1], "code_switched": False, "tokens": 10 + number, "truncated": False,
                }
            )  # fmt: skip
    return pandas.DataFrame(rows)


def test_macro_averages_weigh_languages_equally():
    data = cells({0: records(lambda p, code: code == "fr" or p == 0)}, "test")
    over = weights(1, 4)
    assert macro(data, "accuracy", ["fr", "en"], over)[0] == pytest.approx((1.0 + 0.25) / 2)
    assert macro(data, "fidelity", ["fr", "en"], over)[0] == 0.5
    assert macro(data, "tokens", ["fr"], over)[0] == 11.5
    assert np.isnan(macro(data, "accuracy", ["th"], over)[0])


def test_lcpr_is_the_harmonic_mean_of_line_and_word_passes_among_line_passes():
    frame = records(lambda p, code: True, languages=("fr",))
    frame["line_pass"] = [True, True, False, False]  # LPR 1/2
    frame["word_pass"] = [True, False, True, True]  # WPR among them 1/2
    data = cells({0: frame}, "test")
    assert macro(data, "LCPR", ["fr"], weights(1, 4))[0] == pytest.approx(0.5)


def test_an_interval_of_what_never_varies_is_a_point():
    data = cells({0: records(lambda p, code: True), 1: records(lambda p, code: True)}, "test")
    found = estimate(macro(data, "accuracy", ["fr"], weights(2, 4)))
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_the_bootstrap_interval_has_the_width_of_the_binomial():
    data = cells({0: records(lambda p, code: p % 2, problems=100, languages=("fr",))}, "test")
    found = estimate(macro(data, "accuracy", ["fr"], weights(1, 100)))
    assert found.value == 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.05, rel=0.12)


def test_differences_are_paired():
    worse = {0: records(lambda p, code: p % 2, problems=40)}
    better = {0: records(lambda p, code: p % 2 or p == 0, problems=40)}  # one problem more, whatever the sample
    found = differences(cells(better, "test"), cells(worse, "test"), "accuracy", ["fr", "en"])
    assert found.value == pytest.approx(1 / 40)
    assert 0 <= found.low <= found.high < 0.1  # unpaired, the interval would be wider than +-0.2


def test_a_hole_in_the_records_is_an_error():
    with pytest.raises(ValueError, match="every problem must be there"):
        cells({0: records(lambda p, code: True).iloc[1:]}, "test")


def test_the_front_is_what_no_point_beats():
    assert front([(0, 1), (1, 0), (0.5, 0.5), (0.4, 0.4), (0.5, 0.5)]) == [0, 1, 2, 4]


def test_a_metric_needs_an_entry(tmp_path):
    require("accuracy/fr")
    with pytest.raises(UnknownMetric, match="Did you mean 'accuracy'"):
        require("acuracy")
    with pytest.raises(UnknownMetric):
        require("loss/fr")  # not kept by language


def test_a_tracker_resumes_without_doubles_or_torn_lines(tmp_path):
    first = Tracker(tmp_path, "grpo", TrackingSpec())
    first.resume(0)
    for step in (1, 2, 3):
        first.log(step, {"loss": float(step)})
    first.close()
    with (tmp_path / "metrics.jsonl").open("a") as handle:
        handle.write('{"step": 4, "lo')
    again = Tracker(tmp_path, "grpo", TrackingSpec())
    again.resume(2)
    again.log(3, {"loss": 30.0})
    again.close()
    assert [(line["step"], line["loss"]) for line in read_metrics(tmp_path / "metrics.jsonl")] == [
        (1, 1),
        (2, 2),
        (3, 30),
    ]


def test_rollouts_are_written_read_and_cut_back(tmp_path):
    for step in (1, 2, 3):
        write_rollouts(tmp_path, step, [{"step": step, "completion": "là"}])
    truncate_rollouts(tmp_path, 2)
    assert steps_of(tmp_path) == [1, 2]
    assert read_rollouts(tmp_path, 2) == [{"step": 2, "completion": "là"}]


def test_hostile_text_is_shown_and_not_obeyed():
    assert printable("a\x1b[31mb\n") == "a\\u001b[31mb\n"
    shown = page.as_html("t", [page.Section("s", literal=["</pre><script>alert(1)</script>"])])
    assert "<script>" not in shown
    assert "````" in page.as_markdown("t", [page.Section("s", literal=["```"])])


def test_a_report_holds_table_pictures_and_comparison(tmp_path):
    runs = []
    for method, right in (("sft", lambda p, c: p == 0), ("grpo", lambda p, c: p < 3)):
        folder = tmp_path / method
        folder.mkdir()
        records(right).to_parquet(folder / "records.parquet")
        (folder / "config.yaml").write_text(
            "model: {path: world}\nworld: {name: small}\nbenchmark: {_target_: src.data.benchmarks.world.World, source: null, path: null, completions: null, weights: {}}\nrollout: {maximum_new_tokens: 96}\nevaluation: {samples: 1}\nscale: laptop\n"
        )
        runs.append(Run(method, 0, folder / "records.parquet", None, None, folder / "config.yaml"))
    expected = tmp_path / "expected.csv"
    expected.write_text(
        "split,domain,method,metric,value,tolerance\ntest,all,grpo,accuracy,0.70,0.10\ntest,all,grpo,tokens,,\n"
        "test,all,sft,accuracy,0.9,0.1\n"
    )
    compose_report(tmp_path / "out", "title", runs, compared="sft", expected=expected, command="python -m x")
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| all | GRPO | 0.750 [" in text
    assert "| all | GRPO | -0.500 [" in text
    assert "| test | all | GRPO | accuracy | 0.750 [" in text
    rows = [line for line in text.splitlines() if "| expected" not in line and line.startswith("| test | all")]
    assert [row.split("|")[-2].strip() for row in rows] == ["yes", "", "no"]
    for path in json.loads((tmp_path / "out" / "files.json").read_text()).values():
        assert (tmp_path / path).stat().st_size > 0 if path.startswith("out") else True


def test_a_cell_has_the_digits_of_its_unit():
    found = tables.Estimate(12.345, 11.0, 13.0)
    assert tables.cell("tokens", found) == "12.3 [11.0, 13.0]"
    assert tables.cell("accuracy", found) == "12.345 [11.000, 13.000]"


def test_provenance_names_the_commit_and_no_place():
    assert commit()
    assert not any("/" in value for value in provenance().values())


def test_a_table_with_empty_cells_is_as_wide_as_it_was():
    from src.reporting import tables

    tried = [
        {"arm": "const", "value": "B=1", "seeds": 2, "right_and_in_language": 0.5, "chosen": False},
        {"arm": "const", "value": "B=2", "seeds": 2, "right_and_in_language": 0.75, "chosen": True},
    ]
    lines = tables.plain(tables.chosen(tried)).splitlines()
    assert [line.split()[-1] for line in lines] == ["chosen", "0.500", "yes"]


def test_methods_of_one_colour_have_different_lines():
    from src.reporting.figures import SPARE, colour, dash

    methods = ["sft", *(f"arm {number}" for number in range(len(SPARE) + 1))]
    assert colour("arm 0", methods) == colour(methods[-1], methods)
    assert (dash("arm 0", methods), dash(methods[-1], methods), dash("sft", methods)) == ("-", "--", "-")

"""Tables, colours and the page of a report."""

import json

from src.common.tables import Table
from src.common.visible import visible
from src.reporting import page, tables
from src.reporting.report import build_report
from src.store.directory import Run
from tests.helpers.evaluation import records_of


def test_hostile_text_is_shown_and_not_obeyed():
    assert visible("a\x1b[31mb\n") == "a\\u001b[31mb\n"
    shown = page.as_html("t", [page.Section("s", literal=["</pre><script>alert(1)</script>"])])
    assert "alert(1)</script>" not in shown and "&lt;script&gt;alert(1)" in shown
    assert "````" in page.as_markdown("t", [page.Section("s", literal=["```"])])


def test_a_report_holds_table_pictures_and_comparison(tmp_path):
    runs = []
    for method, right in (("sft", lambda p, c: p == 0), ("grpo", lambda p, c: p < 3)):
        folder = tmp_path / method
        folder.mkdir()
        records_of(right).to_parquet(folder / "records.parquet")
        (folder / "config.yaml").write_text(
            "model: {path: world}\nworld: {name: small}\nbenchmark: {_target_: src.data.benchmarks.world.World, source: null, path: null, completions: null, weights: {}}\nrollout: {maximum_new_tokens: 96}\nevaluation: {samples: 1}\nscale: laptop\n"
        )
        runs.append(Run(method, 0, folder / "records.parquet", None, None, folder / "config.yaml"))
    expected = tmp_path / "expected.csv"
    expected.write_text(
        "split,domain,method,metric,value,tolerance\ntest,all,grpo,accuracy,0.70,0.10\ntest,all,grpo,tokens,,\n"
        "test,all,sft,accuracy,0.9,0.1\n"
    )
    build_report(tmp_path / "out", "title", runs, compared="sft", expected=expected, command="python -m x")
    text = (tmp_path / "out" / "report.md").read_text()
    assert "| all | GRPO | 0.750 [" in text
    assert "| all | GRPO | -0.500 [" in text
    assert "| test | all | GRPO | accuracy | 0.750 [" in text
    rows = [line for line in text.splitlines() if "| expected" not in line and line.startswith("| test | all")]
    assert [row.split("|")[-2].strip() for row in rows] == ["yes", "", "no"]
    for path in json.loads((tmp_path / "out" / "files.json").read_text()).values():
        assert (tmp_path / path).stat().st_size > 0 if path.startswith("out") else True


def test_a_cell_has_the_digits_of_its_unit():
    estimate = tables.Estimate(12.345, 11.0, 13.0)
    assert tables.cell("tokens", estimate) == "12.3 [11.0, 13.0]"
    assert tables.cell("accuracy", estimate) == "12.345 [11.000, 13.000]"


def test_no_line_is_broken_within_an_interval():
    shown = page.as_html("t", [page.Section("s", table=Table(("accuracy",), [("0.5 [0.4, 0.6] p = 1",)]))])
    assert "<td>0.5 [0.4,\u00a00.6] p = 1</td>" in shown


def test_a_table_with_empty_cells_is_as_wide_as_it_was():
    from src.reporting import tables

    tried = [
        {"arm": "const", "value": "B=1", "seeds": 2, "right_and_in_language": 0.5, "chosen": False},
        {"arm": "const", "value": "B=2", "seeds": 2, "right_and_in_language": 0.75, "chosen": True},
    ]
    lines = tables.chosen(tried).text().splitlines()
    assert [line.split()[-1] for line in lines] == ["chosen", "0.500", "yes"]


def test_methods_of_one_colour_have_different_lines():
    from src.reporting.figures import SPARE, colour, dash

    methods = ["sft", *(f"arm {number}" for number in range(len(SPARE) + 1))]
    assert colour("arm 0", methods) == colour(methods[-1], methods)
    assert (dash("arm 0", methods), dash(methods[-1], methods), dash("sft", methods)) == ("-", "--", "-")

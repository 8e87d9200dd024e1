"""Tables for papers."""

from pathlib import Path

from src.common.tables import Table
from src.reporting.latex import as_latex, escaped, latex
from src.reporting.page import Section

TABLE = Table(("domain", "method", "accuracy"), [("all", "GRPO_1", "0.750 [0.6, 0.9]"), ("all", "A & B", None)])


def test_numbers_stand_to_the_right_and_rules_are_booktabs():
    assert latex(TABLE, "Results, 95 %").splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{Results, 95 \%}",
        r"\begin{tabular}{llr}",
        r"\toprule",
        r"domain & method & accuracy \\",
        r"\midrule",
        r"all & GRPO\_1 & 0.750 [0.6, 0.9] \\",
        r"all & A \& B &  \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_what_latex_would_obey_is_printed():
    assert escaped("\\input{x} 5% $a_1^2$ ~#&\n<b>") == (
        r"\textbackslash{}input\{x\} 5\% \$a\_1\textasciicircum{}2\$ \textasciitilde{}\#\& \textless{}b\textgreater{}"
    )


def test_sections_without_a_table_with_a_head_are_left_out():
    pairs = Table((None, None), [("seeds", "1, 2")])
    text = as_latex([Section("What was run", table=pairs), Section("Results", table=TABLE), Section("Words", "few")])
    assert text.count(r"\begin{table}") == 1 and "What was run" not in text and "Results" in text


def test_a_report_writes_them(tmp_path):
    from src.reporting.report import build_report
    from src.store.directory import Run
    from tests.helpers.evaluation import records_of

    records_of(lambda problem, _: problem == 0).to_parquet(tmp_path / "records.parquet")
    (tmp_path / "config.yaml").write_text(
        "model: {path: world}\nworld: {name: small}\nbenchmark: {_target_: src.data.benchmarks.world.World, source: null, path: null, "
        "completions: null, weights: {}}\nrollout: {maximum_new_tokens: 96}\nevaluation: {samples: 1}\nscale: laptop\n"
    )
    run = Run("sft", 0, tmp_path / "records.parquet", None, None, tmp_path / "config.yaml")
    build_report(tmp_path / "out", "title", [run], command="python -m x")
    text = Path(tmp_path / "out" / "tables.tex").read_text()
    assert r"\caption{Results, test}" in text and r"\toprule" in text

"""A whole report from synthetic runs: hostile rollouts, self-contained page, pictures, expected values."""

import base64
import hashlib
import json
import re

import pandas
import pytest

from src.analysis.statistics import Estimate
from src.common.errors import UserError
from src.reporting import figures, tables
from src.reporting.report import build_report
from src.reporting.tables import Row
from src.store.directory import Run
from src.store.records import ROLLOUTS
from src.store.rollouts import write_rollouts
from src.store.whole import sums_of_stage
from tests.helpers.damage import flip, halve
from tests.helpers.stamps import stamp_seen

HOSTILE = '</pre><script>alert(1)</script><img src="http://evil.example/x">\x1b[2J````\n# heading | cell'
LANGUAGES = ("fr", "ja", "en", "de")
CONFIG = "model: {path: world}\nworld: {name: small}\nbenchmark: {_target_: src.data.benchmarks.world.World, source: null, path: null, completions: null, weights: {}}\nrollout: {maximum_new_tokens: 96}\nevaluation: {samples: 1}\nscale: laptop\n"


def make_run(folder, method, seed, right, seen=("fr", "ja")):
    """A finished run of 4 problems: problem p of a language is right when p < right[language]."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)
    pandas.DataFrame(
        {
            "split": "test",
            "problem": f"p{number}",
            "language": code,
            "correct": number < count,
            "in_language": number < 2,
            "right_and_in_language": number < min(count, 2),
            "line_pass": True,
            "word_pass": number < 2,
            "code_switched": False,
            "tokens": 8,
            "truncated": False,
        }
        for code, count in right.items()
        for number in range(4)
    ).to_parquet(folder / "records.parquet")
    stamp_seen(folder / "records.parquet", seen if seen is None else list(seen))
    metrics = folder / "metrics.jsonl"
    lines = ({"step": s, "accuracy": s / 9, "fidelity": 0.5, "alignment_factor": 0.2 * s} for s in range(1, 9))
    metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for step in (1, 8):
        row = {
            "language": "fr",
            "detected": None,
            "status": "unparsed",
            "reward": 0.0,
            "alignment_term": 0.0,
            "advantage": 0.0,
            "question": "q" + HOSTILE,
            "completion": f"step{step} {HOSTILE}",
        }
        empty = dict.fromkeys(column.name for column in ROLLOUTS)
        write_rollouts(folder / "rollouts", step, [empty | row])
    return Run(method, seed, folder / "records.parquet", metrics, folder / "rollouts", folder / "config.yaml")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a report over two methods and two seeds."""
    root = tmp_path_factory.mktemp("report")
    right = {"grpo": dict.fromkeys(LANGUAGES, 2), "adamame_grpo": {"fr": 4, "ja": 4, "en": 2, "de": 2}}
    runs = [make_run(root / m / str(s), m, s, counts) for m, counts in right.items() for s in (1, 2)]
    build_report(root / "out", "A <title>", runs, compared="grpo", command="python -m src launch x")
    return root / "out"


def test_the_table_holds_what_a_hand_would_compute(report):
    table = pandas.read_csv(report / "table.csv").set_index(["domain", "method", "metric"])["value"]
    assert table["seen", "adamame_grpo", "accuracy"] == 1.0
    assert table["unseen", "adamame_grpo", "accuracy"] == 0.5
    assert table["all", "adamame_grpo", "accuracy"] == 0.75
    assert table["all", "adamame_grpo", "right and in language"] == 0.5
    assert table["non-en", "adamame_grpo", "accuracy"] == pytest.approx((4 + 4 + 2) / 12, abs=1e-4)
    assert table["all", "grpo", "LCPR"] == pytest.approx(2 / 3, abs=1e-4)  # LPR 1, WPR 1/2
    text = (report / "report.md").read_text()
    assert "seen: fr, ja; unseen: de, en; non-en: de, fr, ja; all: de, en, fr, ja." in text
    assert "| non-en | AdaMame-GRPO | -0.333 [" in text
    assert "| seen | AdaMame-GRPO | -0.500 [" in text
    assert "| unseen | AdaMame-GRPO | +0.000 [+0.000, +0.000]" in text
    for stated in (
        "| seeds | 1, 2 |",
        "| commit |",
        "| made |",
        "| command | python -m src launch x |",
        "| model |",
    ):
        assert stated in text


def test_the_page_is_one_file_and_obeys_no_model_output(report):
    shown = (report / "report.html").read_text()
    assert "&lt;script&gt;" in shown and "<title>A &lt;title&gt;</title>" in shown
    assert "\x1b" not in shown
    (script,) = re.findall(r"<script>(.*?)</script>", shown, re.S)
    tags = set(re.findall(r"<(?!!)/?([a-z0-9]+)", shown.replace(script, "")))
    ours = {"html", "head", "body", "meta", "title", "style", "script", "nav", "ol", "li", "a", "section", "div"}
    assert tags <= ours | {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "img", "pre"}
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in shown
    sources = re.findall(r"<img [^>]*src=\"([^\"]{0,30})", shown)
    assert len(sources) == 6 and all(source.startswith("data:image/png;base64,") for source in sources)
    assert "step1 " in shown and "step8 " in shown  # an early and a late rollout


def test_results_come_first_and_what_was_run_last(report):
    shown = (report / "report.html").read_text()
    titles = re.findall(r"<h2><a [^>]*>([^<]*)</a></h2>", shown)
    assert titles[0] == "In short" and "no difference shown, +0.000 [+0.000, +0.000], p = 1.000" in shown
    assert titles[-1] == "What was run" and titles[0] != titles[-1]
    assert re.findall(r'<li><a href="#(section-\d+)">([^<]*)</a>', shown) == [
        (f"section-{number}", title) for number, title in enumerate(titles, 1)
    ]
    assert re.findall(r'<section id="(section-\d+)">', shown) == [f"section-{n}" for n in range(1, len(titles) + 1)]
    assert 'name="viewport"' in shown and '<html lang="en">' in shown and "prefers-color-scheme: dark" in shown


def test_hostile_output_stays_inside_its_fence(report):
    lines = (report / "report.md").read_text().splitlines()
    inside, fence = False, ""
    for line in lines:
        if not inside and line.endswith("text") and set(line[:-4]) == {"`"}:
            inside, fence = True, line[:-4]
        elif inside and line == fence:
            inside = False
        elif "evil.example" in line or line.startswith("# heading"):
            assert inside, line
    assert not inside


def test_pictures_come_as_png_and_svg(report):
    for name in ("pareto-test", "heat-map-test", "languages-test", "training", "flow-grpo"):
        assert (report / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (report / f"{name}.svg").read_text()
        assert (report / f"{name}.png").stat().st_size < 200_000


def test_a_method_keeps_its_colour():
    assert figures.colour("grpo", ["grpo"]) == figures.colour("grpo", ["mine", "grpo", "other"])
    assert figures.colour("mine", ["mine", "grpo", "other"]) != figures.colour("other", ["mine", "grpo", "other"])


def test_bars_are_never_negative():
    bars = figures._bars([0.3, 0.5], [(0.3 + 1e-16, 0.3), (0.25, 0.625)])
    assert bars == [[0.0, 0.25], [0.0, 0.125]]


def test_a_baseline_that_did_not_run_is_refused(tmp_path):
    run = make_run(tmp_path / "run", "grpo", 0, {"fr": 1})
    with pytest.raises(UserError, match="compared 'grop' must be one of the methods that ran: grpo"):
        build_report(tmp_path / "out", "t", [run], compared="grop")


def beside(tmp_path, content):
    path = tmp_path / "expected.csv"
    path.write_text("split,domain,method,metric,value,tolerance\n" + content)
    return tables.beside_expected([Row("grpo", "test", "all", {"accuracy": Estimate(0.5, 0.4, 0.6)})], path).markdown()


def test_unknown_values_and_tolerances_stay_empty(tmp_path):
    shown = beside(tmp_path, "test,all,grpo,accuracy,,\ntest,all,grpo,accuracy,0.62,\ntest,all,sft,accuracy,0.62,0.1\n")
    assert [line.split("|")[5:8] for line in shown.splitlines()[2:]] == [
        [" 0.500 [0.400, 0.600] ", "  ", "  "],
        [" 0.500 [0.400, 0.600] ", " 0.62 ", "  "],
        ["  ", " 0.62 +- 0.1 ", "  "],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("test,all,grpo,acuracy,0.5,0.1", r"expected\.csv, line 2: metric 'acuracy' .* Did you mean 'accuracy'"),
        ("test,everywhere,grpo,accuracy,0.5,0.1", "line 2: domain 'everywhere' must be one of seen"),
        ("test,all,grpo,accuracy,0.5,0.1\ntest,all,grpo,accuracy,high,0.1", "line 3: value 'high' must be a number"),
        ("test,all,grpo,accuracy", "line 2: field 'value' is missing"),
    ],
)
def test_a_malformed_line_of_expected_is_named(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        beside(tmp_path, content + "\n")


def test_a_controllers_bonus_is_drawn_also_where_a_language_was_not_asked(tmp_path):
    lines = [
        {
            "step": s,
            "critical_bonus/fr": 0.5,
            "critical_bonus_error/fr": 0.1,
            "alignment_factor/fr": 0.1 * s,
            "fidelity/fr": 1.0,
        }
        for s in range(1, 5)
    ]
    del lines[1]["alignment_factor/fr"], lines[0]["critical_bonus_error/fr"]
    figures.bonus([lines, lines[:3]], tmp_path / "bonus.png")
    assert (tmp_path / "bonus.png").stat().st_size > 5_000


def test_many_methods_are_drawn_one_below_the_other(tmp_path):
    values = {name: Estimate(0.5, 0.4, 0.6) for name in ("right and in language", "accuracy", "fidelity")}
    rows = [Row(f"m{i}", "test", domain, values) for i in range(9) for domain in ("seen", "unseen")]
    figures.arms(rows, "test", tmp_path / "arms.png")
    assert (tmp_path / "arms.png").stat().st_size > 5_000


def test_the_name_of_a_method_makes_the_name_of_a_file():
    assert tables.slug("cosine, B = 0.5") == "cosine-b-0-5"


def test_the_compared_method_is_set_against_others_by_pair(tmp_path):
    runs = [make_run(tmp_path / m, m, 1, dict.fromkeys(LANGUAGES, right)) for m, right in (("sft", 3), ("grpo", 1))]
    for run, following in zip(runs, (True, False), strict=True):
        pandas.read_parquet(run.records).assign(follows=following).to_parquet(run.records)
    build_report(tmp_path / "out", "t", runs, compared="sft")
    assert "| SFT | GRPO | 4 | 4 [" in (tmp_path / "out" / "report.md").read_text()
    pairs = pandas.read_csv(tmp_path / "out" / "dominance.csv")
    assert list(pairs["language"]) == list(LANGUAGES) and set(pairs["verdict"]) == {"dominates"}
    # p1 and p2 of four are what differs: a draw without either, (2/4)^4, has equal accuracies.
    assert pairs["sure"].tolist() == pytest.approx([15 / 16] * 4, abs=0.02)


def test_a_report_without_what_follows_has_no_dominance(report):
    assert "Pareto dominance" not in (report / "report.md").read_text()
    assert not (report / "dominance.csv").exists()


def domains_in(folder):
    """Domain -> accuracy of the first method in the spreadsheet of a report."""
    table = pandas.read_csv(folder / "table.csv")
    return {row.domain: row.value for row in table[table["metric"] == "accuracy"].itertuples()}


def test_seen_languages_are_those_the_runs_were_trained_on(tmp_path):
    """Swahili and Telugu are seen, French is not; the base model, which was never trained, is averaged as the others."""
    right = {"fr": 1, "sw": 4, "te": 2}
    base = make_run(tmp_path / "base", "base", 0, {"fr": 4, "sw": 0, "te": 0}, seen=None)
    run = make_run(tmp_path / "grpo", "grpo", 0, right, seen=("sw", "te"))
    build_report(tmp_path / "one", "t", [run])
    assert domains_in(tmp_path / "one") == {"seen": 0.75, "unseen": 0.25, "all": 0.5833, "fr": 0.25, "sw": 1, "te": 0.5}
    assert "| languages seen in training | sw, te |" in (tmp_path / "one" / "report.md").read_text()
    build_report(tmp_path / "two", "t", [base, run])
    assert domains_in(tmp_path / "two")["seen"] == 0.75
    table = pandas.read_csv(tmp_path / "two" / "table.csv").set_index(["domain", "method", "metric"])["value"]
    assert (table["seen", "base", "accuracy"], table["unseen", "base", "accuracy"]) == (0.0, 1.0)


def test_a_report_on_an_unknown_model_does_not_guess(tmp_path):
    run = make_run(tmp_path / "run", "evaluate", 0, {"fr": 1, "sw": 2}, seen=None)
    build_report(tmp_path / "out", "t", [run])
    assert set(domains_in(tmp_path / "out")) == {"all", "fr", "sw"}
    assert "| languages seen in training | unknown |" in (tmp_path / "out" / "report.md").read_text()


def test_what_is_lost_of_a_history_is_said_and_the_rest_is_shown(tmp_path):
    """Rollouts of the last step cut, metrics with a step less: the report is there, and says both."""
    run = make_run(tmp_path / "run", "grpo", 0, {"fr": 1, "sw": 2})
    halve(run.rollouts / "step-000008.parquet")
    lines = run.metrics.read_text().splitlines(keepends=True)
    run.metrics.write_text("".join(lines[:2] + lines[4:]))
    build_report(tmp_path / "out", "t", [run])
    text = (tmp_path / "out" / "report.md").read_text()
    assert "metrics.jsonl lacks the steps 3-4" in text and "step-000008.parquet is damaged" in text
    assert "rollouts lacks the rollouts of the steps 2-7" in text
    assert "step1 " in text and "step8 " not in text
    assert not (tmp_path / "out" / "training.png").exists()


def test_records_that_are_not_what_was_written_make_no_report(tmp_path):
    run = make_run(tmp_path / "evaluate", "grpo", 0, {"fr": 1})
    (tmp_path / "evaluate" / "done.json").write_text(json.dumps(sums_of_stage(tmp_path / "evaluate")))
    flip(run.records)
    with pytest.raises(UserError, match=r"records.parquet is not what was written"):
        build_report(tmp_path / "out", "t", [run])

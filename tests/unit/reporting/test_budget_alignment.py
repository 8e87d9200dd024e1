"""The study of Budget Alignment: values by hand from small records, and the published figures counted."""

import csv
from collections import Counter

import pandas
import pytest

from src.analysis.dominance import LOST, WON, verdict
from src.analysis.statistics import Estimate
from src.common.errors import UserError
from src.reporting.budget_alignment import (
    METHODS,
    answers,
    by_method,
    dominance_sentence,
    mean_differences,
    rows,
    sections,
)
from src.reporting.differences import Difference, sentence
from src.reporting.dominance import counted, spreadsheet
from src.reporting.page import as_markdown
from tests.helpers.paths import ROOT

EXPECTED = ROOT / "experiments" / "budget_alignment" / "expected.csv"
LANGUAGES = ("ja", "es")
# Method -> (right, following) of the four samples of each problem, alike in all languages and splits.
SHARES = {"Base": (2, 1), "SFT": (1, 4), "GRPO-Base": (2, 2), "GRPO-SFT": (4, 4), "MERGE": (2, 1)}


def records(method, languages=LANGUAGES, splits=("test", "shift"), problems=3):
    right, following = SHARES[method]
    return pandas.DataFrame(
        {
            "split": split,
            "problem": f"{split}{problem}",
            "language": code,
            "sample": sample,
            "correct": sample < right,
            "in_language": sample < following,
            "right_and_in_language": sample < min(right, following),
            "line_pass": True,
            "word_pass": True,
            "code_switched": False,
            "follows": sample < following,
            "tokens": 7,
            "truncated": False,
        }
        for split in splits
        for code in languages
        for problem in range(problems)
        for sample in range(4)
    )


def arms(seeds=(1, 2)):
    """Records by arm: one model a language for SFT and GRPO, one for all for the base and the merged."""
    named = {}
    for method in METHODS:
        if method in ("Base", "MERGE"):
            named[method] = {seed: records(method) for seed in seeds}
        else:
            named |= {f"{method} {code}": {seed: records(method, (code,)) for seed in seeds} for code in LANGUAGES}
    return named


@pytest.fixture(scope="module")
def study():
    return answers(by_method(arms()), [1, 2])


def test_arms_of_one_language_are_put_together_by_method():
    joined = by_method(arms())
    assert list(joined) == list(METHODS)
    assert Counter(joined["SFT"][2]["language"]) == {"ja": 24, "es": 24}
    with pytest.raises(UserError, match="there is none of MERGE"):
        by_method({name: seeds for name, seeds in arms().items() if name != "MERGE"})


def test_an_arm_of_one_language_that_answered_others_counts_in_its_own():
    named = arms() | {"SFT ja": {seed: records("SFT") for seed in (1, 2)}}
    assert Counter(by_method(named)["SFT"][1]["language"]) == {"ja": 24, "es": 24}


def test_the_measure_of_quality_is_the_largest_k(study):
    assert study.quality == "pass@2"
    values = {(row.method, row.split, row.domain): row.values for row in rows(study)}
    # 2 of 4 right: pass@2 = 1 - (2 1)/(4 3) = 5/6; 1 of 4: 1/2; 4 of 4: 1.
    assert values["Base", "test", "ja"]["pass@2"].value == pytest.approx(5 / 6)
    assert values["SFT", "shift", "es"]["pass@2"].value == pytest.approx(1 / 2)
    assert values["GRPO-SFT", "test", "es"]["pass@2"].value == 1.0
    assert values["Base", "test", "ja"]["following"].value == 0.25
    # Base: one sample right and following, 1/2.
    assert values["Base", "test", "ja"]["in-language pass@2"].value == pytest.approx(1 / 2)


def test_the_mean_over_data_sets_is_paired(study):
    lines = mean_differences(study.methods["SFT"], study.methods["Base"], "following")
    assert [(row.language, row.one, row.other) for row in lines] == [("ja", 1.0, 0.25), ("es", 1.0, 0.25)]
    assert lines[0].difference == Estimate(0.75, 0.75, 0.75)


def test_who_dominates_whom(study):
    results = study.dominated()
    won = {method: (result.won.value, result.lost.value) for (method, _), result in results.items()}
    # GRPO-Base is as right as the base: that is not strict; SFT follows more and is right less.
    assert won == {"SFT": (0, 0), "GRPO-Base": (0, 0), "GRPO-SFT": (4, 0), "MERGE": (0, 0)}
    assert "GRPO-SFT | Base | 4 | 4 [4, 4] | 0 [0, 0]" in counted(results).markdown()
    words = dominance_sentence(results)
    assert "GRPO-SFT strictly dominates Base in 4 of 4 pairs [4, 4]; MERGE" in words
    assert "SFT strictly dominates Base in 0 of 4 pairs [0, 0], which does not show that it does anywhere" in words
    lines = list(csv.DictReader(spreadsheet(results, "pass@2").splitlines()))
    assert len(lines) == 16
    assert [line["verdict"] for line in lines if line["method"] == "GRPO-SFT"] == [WON] * 4
    assert {line["following difference"] for line in lines if line["method"] == "SFT"} == {"0.7500"}


def test_a_sentence_says_what_is_shown_and_what_is_not():
    def row(language, low, value, high):
        return Difference("test", language, "accuracy", 0.5, 0.5, Estimate(value, low, high))

    nan = float("nan")
    compared = [
        row("ja", 0.1, 0.2, 0.3),
        row("fr", -0.3, -0.2, -0.1),
        row("es", -0.1, 0.1, 0.2),
        row("de", nan, nan, nan),
    ]
    assert sentence("A against B", compared) == (
        "A against B: accuracy is higher in 1 (test ja), is lower in 1 (test fr), does not show a difference in 1 (test es), "
        "does not apply in 1 (test de)."
    )
    assert sentence("A against B", compared[2:3]) == "A against B: accuracy does not show a difference in all 1."
    # An interval that ends at zero covers it.
    assert "does not show a difference" in sentence("A against B", [row("ja", 0.0, 0.2, 0.4)])


def test_the_page_has_a_section_with_a_picture_for_every_question(study, tmp_path):
    page = sections(study, tmp_path, EXPECTED)
    text = as_markdown("t", page)
    for number in range(6):
        assert f"## RQ{number}. " in text and f"![RQ{number}. " in text
        assert (tmp_path / f"rq{number}.png").read_bytes().startswith(b"\x89PNG")
    assert (
        "SFT against Base: accuracy is lower in all 4; pass@2 is lower in all 4; following is higher in all 4." in text
    )
    assert "SFT against Base, mean of the data sets: following is higher in all 2." in text
    assert "| shift | es | following | 0.250 | 1.000 | +0.750 [+0.750, +0.750] |" in text
    assert "MERGE against Base: accuracy does not show a difference in all 4; pass@2 does not" in text
    assert "| aime25 | fr | GRPO-SFT | pass@10 |  | 0.482 |  |" in text


def published():
    with EXPECTED.open(newline="") as handle:
        lines = [line for line in csv.DictReader(handle) if line["value"]]
    return {(line["split"], line["domain"], line["method"], line["metric"]): float(line["value"]) for line in lines}


def test_the_published_figures_do_not_give_what_the_post_claims():
    cells = published()
    pairs = sorted({key[:2] for key in cells})
    assert len(pairs) == 12 and len(cells) == 12 * 5 * 3

    def count(method, wanted):
        points = [
            [tuple(cells[(*pair, name, metric)] for metric in ("pass@10", "following")) for name in (method, "Base")]
            for pair in pairs
        ]
        return sum(verdict(*both) == wanted for both in points)

    assert count("GRPO-SFT", WON) == 5  # the post says 9
    assert count("SFT", WON) == 7
    assert count("GRPO-SFT", LOST) == 0

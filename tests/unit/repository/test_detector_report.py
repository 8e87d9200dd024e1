"""The measurement of the detector: its arithmetic, its texts, and its sentences."""

import importlib.util
import random
import sys

import pytest

from src.language.table import CORE, LANGUAGES
from tests.helpers.paths import ROOT

FILE = ROOT / "experiments/detector/detector.py"


@pytest.fixture(scope="module")
def report():
    spec = importlib.util.spec_from_file_location("detector_report", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["detector_report"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["detector_report"]


def test_bins_hold_their_ends(report):
    assert [report.bin_of(n) for n in (1, 20, 21, 40, 41, 80, 81, 160, 161, 9999)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [report.bin_name(n) for n in (0, 4)] == ["1-20", ">160"]


def test_wilson_by_hand(report):
    # z^2 = 3.84146; 0 of 10: z^2 / (10 + z^2); 5 of 10: 0.5 -+ z sqrt(10 + z^2) / (2 (10 + z^2)) = 0.5 -+ 0.26341
    assert report.wilson(0, 10) == pytest.approx((0, 0.277535), abs=1e-5)
    assert report.wilson(5, 10) == pytest.approx((0.236593, 0.763407), abs=1e-5)
    assert report.wilson(0, 0) == (0, 1)
    assert report.percent(5, 10) == "50.0 [23.7, 76.3]" and report.percent(0, 0) == "-"


def test_sentences_are_cut_but_not_in_formulas(report):
    assert report.sentences("Il a 3 euros. Et moi ?", "fr") == ["Il a 3 euros.", "Et moi ?"]
    assert report.sentences("彼は行く。次は？", "ja") == ["彼は行く。", "次は？"]
    assert report.sentences("Soit $a. b$. Oui.", "fr") == ["Soit $a. b$. Oui."]


def test_traces_hold_their_questions_and_the_foreign_sentence(report):
    questions = [f"Question {n}. Oui." for n in range(8)]
    (first, *_) = report.traces(questions, "fr", 3, (), random.Random(0))
    assert len(first.split("\n")) == 3 and set(first.split("\n")) <= set(questions)
    assert all(text.count("$x$") == 2 for text in report.traces(questions, "fr", 1, ["$x$"], random.Random(0)))
    assert all(text.count("Why not?") == 1 for text in report.mixed(questions, "fr", ["Why not?"], random.Random(0)))


def test_tables_add_up(report):
    rows = [report.Count(f"named {n}", "13", "fr", "1-20", k, 10) for n, k in (("fr", 7), ("en", 1), ("unknown", 2))]
    rows += [report.Count("false switch", "13", "fr", f"plain {n}", n, 20) for n in (1, 10)]
    assert report.tally(rows, "13", ["fr"]) == {"right": 7, "wrong": 1, "unknown": 2}
    assert "| 70.0 / 10.0 / 20.0 (10) |" in report.length_table(rows, "13", ["fr"])
    assert report.pooled(rows, "false switch", "13", ["fr"], "plain 1") == (1, 20)
    assert report.pooled(rows, "false switch", "13", ["fr"], "plain") == (11, 40)


def test_own_sentences_are_of_the_languages_without_data(report):
    own = report.own_sentences()
    assert set(own) == set(LANGUAGES) - set(CORE)
    assert all(len(set(texts)) == 40 and all(text.strip() == text for text in texts) for texts in own.values())
    assert all(10 <= len(text) <= 200 for texts in own.values() for text in texts)

"""Pictures by language: what stands in them, and that they are drawn of few methods and many, complete and not."""

import re

from src.analysis.statistics import Estimate
from src.reporting import language_figures as figures
from src.reporting.flow import Flow
from src.reporting.tables import Row

METRICS = ("accuracy", "fidelity", "right and in language")


def texts(monkeypatch, draw):
    """The texts of a picture that `draw` makes, in the order in which they were made."""
    made = []
    save = figures.save

    def keep(figure, path):
        made.extend(text.get_text() for axis in figure.axes for text in axis.texts)
        made.extend(label.get_text() for axis in figure.axes for label in axis.get_xticklabels())
        made.extend(text.get_text() for legend in figure.legends for text in legend.get_texts())
        save(figure, path)

    monkeypatch.setattr(figures, "save", keep)
    draw()
    return made


def row(method, domain, value):
    return Row(method, "test", domain, dict.fromkeys(METRICS, Estimate(value, 0.0, 1.0)))


def test_the_heat_map_has_a_number_for_each_method_and_language(tmp_path, monkeypatch):
    rows = [row("sft", "fr", 0.25), row("sft", "te", 0.5), row("sft", "all", 0.375), row("grpo", "fr", 1.0)]
    shown = texts(monkeypatch, lambda: figures.heat_map(rows, "test", tmp_path / "map.png", ["fr"]))
    numbers = [text for text in shown if re.fullmatch(r"\d\.\d\d", text)]
    assert numbers == ["0.25", "0.50", "0.38", "1.00"] * 3  # what grpo was not asked in is empty
    assert [text for text in shown if text in ("fr*", "te", "all")] == ["fr*", "te", "all"] * 3
    assert "<svg" in (tmp_path / "map.svg").read_text()


def test_the_heat_map_of_one_method_has_the_metrics_below_each_other(tmp_path, monkeypatch):
    shown = texts(monkeypatch, lambda: figures.heat_map([row("sft", "fr", 0.5)], "test", tmp_path / "map.png"))
    assert shown.count("0.50") == 3 and shown.count("fr") == 1


def test_training_by_language_leaves_out_steps_that_did_not_ask_in_it(tmp_path):
    lines = [
        {"step": step, "fidelity/fr": step / 10, "accuracy/fr": 0.5, "alignment_factor/fr": 1.0} for step in (1, 2, 3)
    ]
    del lines[1]["fidelity/fr"]
    lines[2]["fidelity/th"] = 1.0
    curves = {"grpo": [lines, lines[:1]], "mine": [lines]}
    assert figures.languages_of(curves) == ["fr", "th"]
    assert figures._mean(curves["grpo"], "fidelity/fr", False) == ([1, 3], [0.1, 0.3])
    figures.training_by_language(curves, tmp_path / "training.png")
    assert (tmp_path / "training.png").stat().st_size > 5_000


def test_means_over_steps_keep_their_ends():
    lines = [{"step": step, "x": float(step == 3)} for step in range(1, 6)]
    assert figures._mean([lines], "x", True) == ([1, 2, 3, 4, 5], [1 / 3, 1 / 4, 1 / 5, 1 / 4, 1 / 3])


def test_groups_are_drawn_where_the_metrics_tell_of_them(tmp_path):
    lines = [{"step": step, "zero_variance_groups": 0.5, "language_term_groups": 0.1 * step} for step in (1, 2)]
    assert figures.have_groups({"grpo": [lines]}) and not figures.have_groups({"grpo": [[{"step": 1}]]})
    figures.groups({"grpo": [lines]}, tmp_path / "groups.png")
    assert (tmp_path / "groups.png").stat().st_size > 5_000


def test_the_flow_names_the_languages_that_rollouts_were_in(tmp_path, monkeypatch):
    flow = Flow(
        {"th": [1.0, 2.0], "en": [1.0]},
        {
            "th": {"en": [0.5, 0.0], "th": [0.25, 1.0], "vi": [0.25, 0.0]},
            "en": {"en": [0.8], "unknown": [0.1], "other": [0.1]},
        },
    )
    shown = texts(monkeypatch, lambda: figures.flow(flow, "mine", tmp_path / "flow.png"))
    assert [text for text in shown if text in ("th", "en", "vi")][:4] == ["th", "en", "vi", "en"]
    assert shown[-5:] == ["language of the question", "en", "vi", "other", "unknown"]

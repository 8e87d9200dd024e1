"""A rollout as text: its header, its trace with languages, and hostile completions."""

import io
import re
import time

import pytest
from rich.console import Console

from src.reporting.rollout_text import (
    ANSWER,
    TRACE,
    Reading,
    Switch,
    colour,
    group,
    header,
    rollout,
    show,
    switches_of,
    trace,
)
from tests.helpers.rollouts import JUDGED, WORTH

ROW = JUDGED | WORTH | {"step": 3, "group": 7}
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")  # colours, which are rich's own


def plain(blocks):
    return "\n".join(" " * block.indent + block.text.plain for block in blocks)


def printed(blocks, width=80, **settings):
    """What a terminal would get."""
    buffer = io.StringIO()
    settings = {"color_system": "truecolor", "markup": False, "highlight": False, "emoji": False} | settings
    show(blocks, Console(file=buffer, force_terminal=True, width=width, **settings))
    return buffer.getvalue()


def test_the_header_says_what_a_rollout_was_worth():
    row = ROW | {"reward_accuracy": 1.0, "reward_fidelity": 0.125, "reward": 1.125}
    assert header(row, Reading(multiplies=True)).plain == (
        "step 3  group 7  question fr  trace fr  right  in language  reward 1.125 (accuracy 1, fidelity 0.125)  "
        "factor 0.25  weight 1.25  advantage +0.500  tokens 12"
    )


def test_a_term_that_does_not_multiply_is_no_weight():
    text = header(ROW | {"diversity_term": 0.5, "trained": False}, Reading()).plain
    assert "factor 0.25  term 0.25  diversity 0.5  advantage +0.500  not trained on" in text


def test_the_header_of_what_went_wrong():
    row = ROW | {"correct": False, "status": "unparsed", "detected": None, "in_language": False, "reward": None}
    row |= {"code_switched": True, "truncated": True}
    assert "trace unknown  wrong (unparsed)  not in language  code-switched  truncated  reward -" in (
        header(row, Reading()).plain
    )


def test_the_header_of_a_record_says_its_sample():
    row = JUDGED | {"split": "test", "part": "", "sample": 2}
    assert (
        header(row, Reading()).plain
        == "split test  problem p1  sample 2  question fr  trace fr  right  in language  tokens 12"
    )


def test_question_gold_and_read_answer_stand_before_the_trace():
    row = ROW | {"switches": ["11 fr>en"]}
    assert plain(rollout(row, Reading())).splitlines()[1:] == [
        "question: Combien font 2+3 ?",
        "gold: 5",
        "read: 5  (box)",
        "trace (2 sentences, 1 switch)",
        "  [fr] On ajoute. [fr>en] We add.",
        "answer: \\boxed{5}",
    ]


def test_an_answer_that_nobody_read_and_a_trace_that_never_closed():
    row = ROW | {"answer": None, "rule": None, "completion": "On ajoute"}
    assert "read: none\ntrace, not closed" in plain(rollout(row, Reading()))


def test_a_model_that_marks_no_thinking_has_one_text():
    text = plain(rollout(ROW | {"completion": "On ajoute. \\boxed{5}"}, Reading(thinks=False)))
    assert text.endswith("completion (2 sentences)\n  [fr] On ajoute. \\boxed{5}")


def test_each_stretch_has_the_colour_of_its_language():
    text = trace("Un. Two. Drei.", [Switch(4, "fr", "en"), Switch(9, "en", "de")], "fr", Reading())
    styles = {text.plain[span.start : span.end]: span.style for span in text.spans}
    assert text.plain == "[fr] Un. [fr>en] Two. [en>de] Drei."
    assert styles["Un. "] == colour("fr")
    assert styles["Two. "] == colour("en")
    assert styles["Drei."] == colour("de")


def test_all_languages_have_colours_of_their_own():
    from src.language.table import LANGUAGES

    colours = {code: colour(code) for code in LANGUAGES}
    assert "" not in colours.values() and len(set(colours.values())) == len(LANGUAGES)
    assert colour(None) == "" and colour("xx") == ""


def test_switches_are_read_as_they_are_written():
    assert switches_of(["30 en>fr", "4 fr>en", "x", "5", "-1 a>b"]) == [Switch(4, "fr", "en"), Switch(30, "en", "fr")]


def test_a_switch_behind_the_end_is_no_error():
    assert trace("Un.", [Switch(99, "fr", "en")], "fr", Reading()).plain == "[fr] Un."


def test_a_long_trace_loses_its_middle_and_keeps_its_marks():
    text = "a" * TRACE + "b" * TRACE
    shown = trace(text, [Switch(10, "fr", "en"), Switch(TRACE, "en", "de")], "fr", Reading()).plain
    assert shown.startswith("[fr] aaaaaaaaaa[fr>en] a")
    assert f"\n... {TRACE:,} characters left out, --whole shows them ...\n[de] bbb" in shown
    assert shown.count("b") == TRACE // 4
    assert trace(text, [], "fr", Reading(whole=True)).plain == f"[fr] {text}"


def test_a_group_stands_under_one_heading():
    rows = [ROW, ROW | {"correct": False, "status": "wrong", "answer": "6", "in_language": False}]
    text = plain(group(rows, Reading()))
    assert text.startswith("step 3  group 7  problem p1  question fr  2 completions: 1 right, 1 in language\n")
    assert text.count("question: Combien") == 1
    assert text.count("gold: 5") == 3
    assert "read: 6" in text


HOSTILE = [
    "\x1b[2J\x1b[31mred\x1b]8;;http://x\x07",
    "\x9b31m \x90q \x9d0;t\x9c",
    "\u202eltr\u202d \u2066x",
    "[red]x[/red] [link=http://x]y[/link] [/] :warning:",
    "a\rb\x08\x00\x0b\x0c",
    "\ud800 \udfff",
    "</think>\x1b[5m",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "column", ["completion", "question", "gold", "answer", "rule", "status", "detected", "language"]
)
def test_nothing_of_a_text_reaches_the_terminal_as_more_than_text(column, text):
    row = ROW | {column: text, "problem": text, "correct": True}
    for blocks in (rollout(row, Reading()), group([row], Reading())):
        rest = ESCAPE.sub("", printed(blocks))
        assert all(sign.isprintable() or sign == "\n" for sign in rest)
    assert ";;http" not in "".join(ESCAPE.findall(printed(rollout(row, Reading()))))


def test_markup_is_shown_and_not_read():
    text = ESCAPE.sub("", printed(rollout(ROW | {"completion": "[red]x[/red] :smile:"}, Reading())))
    assert "[red]x[/red] :smile:" in text


def test_a_megabyte_on_one_line_is_shortened_with_a_note():
    row = ROW | {
        "completion": "x" * 1_000_000,
        "question": "q" * 1_000_000,
        "gold": "5" * 1_000_000,
        "answer": "z" * 1_000_000,
    }
    began = time.process_time()
    text = plain(rollout(row, Reading()))
    assert time.process_time() - began < 2
    assert len(text) < 6000
    assert f"{1_000_000 - TRACE:,} characters left out" in text
    assert text.count(f"{1_000_000 - ANSWER:,} characters left out") == 2


@pytest.mark.parametrize("line", ["x" * 1_000_000, "\x1b" * 200_000, "数" * 300_000, "a\u0301" * 100_000])
def test_all_of_a_long_line_is_shown_when_asked_for(line):
    row = ROW | {"completion": line}
    began = time.process_time()
    text = printed(rollout(row, Reading(whole=True)))
    assert time.process_time() - began < 20
    shown = re.sub(r"\s", "", ESCAPE.sub("", text))
    assert shown.count(line[0] if line[0] != "\x1b" else "\\u001b") >= len(line) // len(set(line))
    assert "left out" not in text


def test_a_terminal_without_colours_gets_none(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(rollout(ROW, Reading()))
    assert not re.search(r"\x1b\[[0-9;]*(?:3[0-8]|4[0-8]|9[0-7])[;m]", text)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_are_as_wide_as_the_terminal(width):
    row = ROW | {"completion": "mot " * 200, "question": "長い" * 100}
    lines = ESCAPE.sub("", printed(rollout(row, Reading()), width=width)).splitlines()
    widths = [sum(2 if ord(sign) > 0x2E7F else 1 for sign in line) for line in lines]
    assert width - 10 < max(widths) <= width


def test_a_pipe_gets_plain_lines(capsys):
    show(rollout(ROW | {"completion": "mot " * 200 + "\nfin"}, Reading()), None)
    lines = capsys.readouterr().out.splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[5] == "  [fr] " + "mot " * 199 + "mot"
    assert lines[6] == "  fin"

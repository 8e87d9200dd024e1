"""Trace and answer: every closing tag, one deterministic answer, nothing after the end of the turn."""

import time

import pytest

from src.language.trace import Split, closing_tag, has_tags, split_published, split_trace

BOX = "\\boxed{8}"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"),
        ("<Think >", "</ THINK >"),
        ("<thinking>", "</thinking>"),
        ("<reasoning>", "</reasoning>"),
        ("<reason>", "</reason>"),
        ("<thought>", "</thought>"),
        ("[THINK]", "[/THINK]"),
        ("◁think▷", "◁/think▷"),
        ("<seed:think>", "</seed:think>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<unused94>thought\n", "<unused95>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("analysis", "assistantfinal"),
    ],
)
def test_traces_of_all_kinds_close(opening, closing):
    expected = Split("Vier und vier.", BOX, True)
    assert split_trace(f"{opening}Vier und vier.{closing}{BOX}") == expected
    assert split_trace(f"Vier und vier.{closing}\n\n{BOX}") == expected  # the prompt opened it
    assert split_trace(f"<|im_start|>assistant\n{opening}Vier und vier.{closing}{BOX}<|im_end|>\n") == expected
    assert not split_trace(f"{opening}Vier und {BOX}").closed


@pytest.mark.parametrize(
    ("text", "think", "answer"),
    [
        ("<think>a[/THINK]\\boxed{1}</think>" + BOX, "a[/THINK]\\boxed{1}", BOX),
        ("[THINK]a</think>b[/THINK]" + BOX, "a</think>b", BOX),
        ("like <reason>x</reason> this</think>" + BOX, "like x</reason> this", BOX),
        ("Gut. <thinking>a</thinking>" + BOX, "Gut. a", BOX),
        ("a</think>b</think>" + BOX, "a", "b</think>" + BOX),
        ("a</think><think>b</think>" + BOX, "a\nb", BOX),
        (f"a</think>{BOX}<think>no</think>\\boxed{{9}}", "a", BOX),
        (f"a</think>{BOX} <think>no", "a", BOX),
        ("a</think><think>b", "a\nb", ""),
        ("<|channel|>final<|message|>" + BOX, "", BOX),
    ],
)
def test_one_tag_closes_the_trace(text, think, answer):
    assert split_trace(text) == Split(think, answer, True)


@pytest.mark.parametrize(
    "text", ["<think>a[/THINK]" + BOX, "<thinking>a</think>" + BOX, "a" + BOX, "<think>a<|im_end|></think>" + BOX]
)
def test_a_trace_stays_open(text):
    assert not split_trace(text).closed and split_trace(text).answer == ""


@pytest.mark.parametrize(
    "after",
    [
        "<|im_end|>\\boxed{9}",
        "<|endoftext|>\\boxed{9}",
        "<|eot_id|>\\boxed{9}",
        "<end_of_turn>\n<start_of_turn>user\n\\boxed{9}",
        "<｜end▁of▁sentence｜>\\boxed{9}",
        "</s>\\boxed{9}",
        "<|end|>\\boxed{9}",
        "[INST] \\boxed{9}",
        "\n\nQuestion: 4 + 5?\n\\boxed{9}",
        "\n\n### Question 2\n\\boxed{9}",
        "\n**Problem 2:** \\boxed{9}",
        "\nHuman: \\boxed{9}",
        "\n\nQuestion : Et 9 ?\n\\boxed{9}",
        "\n\nFrage: Und 9?\n\\boxed{9}",
        "\n\nPregunta: ¿9?\n\\boxed{9}",
        "\n\nPergunta: 9?\n\\boxed{9}",
        "\n\nDomanda: 9?\n\\boxed{9}",
        "\n\nВопрос: 9?\n\\boxed{9}",
        "\n\nSwali: 9?\n\\boxed{9}",
        "\n\nPertanyaan: 9?\n\\boxed{9}",
        "\n\nSoalan: 9?\n\\boxed{9}",
        "\n\nCâu hỏi: 9?\n\\boxed{9}",
        "\n\n问题：9？\n\\boxed{9}",
        "\n\n問題：9？\n\\boxed{9}",
        "\n\n문제: 9?\n\\boxed{9}",
        "\n\nคำถาม: 9?\n\\boxed{9}",
        "\n\nপ্রশ্ন: 9?\n\\boxed{9}",
        "\n\nప్రశ్న: 9?\n\\boxed{9}",
        "\n\nسؤال: 9?\n\\boxed{9}",
    ],
)
def test_what_follows_the_turn_is_no_answer(after):
    for answer in (BOX, "Answer: 8"):
        assert split_trace(f"a</think>{answer}{after}").answer == answer
        assert split_trace(f"{answer}{after}", thinks=False) == Split(answer, answer, True)


@pytest.mark.parametrize(
    "answer",
    [
        "Question: how many?\n\nEight: \\boxed{8}",  # restated before it is answered
        "### Problem\nx\n### Answer\n\\boxed{8}",
        "\\boxed{8}\nIn question: the same, \\boxed{8}",  # not at the beginning of a line
        "Put it into \\boxed{}.\n\nQuestion: how many?\n\\boxed{8}",
        "<|START_RESPONSE|>\\boxed{8}",
        "Problem 1: \\boxed{3}\nProblem 2: \\boxed{8}",  # parts of one answer
    ],
)
def test_an_answer_is_kept_whole(answer):
    assert split_trace(f"a</think>{answer}").answer == answer


def test_the_published_evaluation_knows_one_tag():
    assert split_published("<think>a</think>b</think>") == Split("a", "b</think>", True)
    assert split_published("[THINK]a[/THINK]b") == Split("[THINK]a[/THINK]b", "", False)
    assert split_published(f"a</think>{BOX}<|im_end|>{BOX}").answer == f"{BOX}<|im_end|>{BOX}"


def test_tags_are_seen():
    assert has_tags("x </thought>") and has_tags("<think>") and not has_tags("x < think")
    assert closing_tag("<think>a") is None


@pytest.mark.parametrize(
    "unit",
    [
        "<think>",
        "</think>",
        "</think><think>a",
        "< ",
        "answer ",
        "\\boxed{",
        "\n### Question",
        "<|channel|>analysis",
        "答",
        "\n",
        "**",
    ],
)
def test_time_is_linear(unit):
    def seconds(count):
        began = time.perf_counter()
        split_trace("</think>" + unit * count)
        split_trace(unit * count, thinks=False)
        return time.perf_counter() - began

    seconds(100)
    assert seconds(40_000) < 40 * max(seconds(4_000), 0.005)  # ten times the text; a square would take a hundred times

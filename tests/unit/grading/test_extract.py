"""Reading an answer out of a completion: where it is looked for, and that hostile text is read in linear time."""

import time

import pytest

from src.grading.extract import RULES, Extraction, extract
from src.grading.normal import MAXIMUM_ANSWER


@pytest.mark.parametrize(
    ("rules", "completion", "answer", "rule"),
    [
        ("strict", "\\boxed{4}</think>\\boxed{5}", "5", "box"),
        ("strict", "</think>\\boxed{5} then \\boxed{6}", "6", "box"),
        ("strict", "</think>\\boxed{5} \\boxed{}", "5", "box"),
        ("strict", "</think>\\boxed{\\boxed{5}}", "5", "box"),
        ("strict", "\\boxed{5}", None, ""),
        ("strict", "</think>The answer is 5.", None, ""),
        ("flexible", "</think>7 apples. The answer is 5 apples. 3 remain.", "5", "announced"),
        ("flexible", "</think>La réponse : **1 234,5** euros", "1 234,5", "announced"),
        ("flexible", "</think>答案是１８。", "18", "announced"),
        ("flexible", "</think>คำตอบคือ ๔๒ บาท", "42", "announced"),
        ("flexible", "</think>First 5, then -7 remain.", "-7", "last_number"),
        ("flexible", "</think>The answer is x = 2 + 3 = 5.", "5", "announced"),
        ("flexible", "</think>The answer is \\sqrt{2}", "\\sqrt{2}", "announced"),
        ("flexible", "</think>The answer is 2^{10}", "2^{10}", "announced"),
        ("flexible", "</think>The answer is 25%.", "25%", "announced"),
        ("flexible", "</think>Step 1: 3\n" + "we get " * 100 + "7.", "7", "last_number"),
        ("flexible", "five and 7", None, ""),
        ("flexible", "</think>nothing", None, ""),
    ],
)
def test_rules(rules, completion, answer, rule):
    assert extract(completion, rules) == Extraction(answer, rule)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        # a formula is handed on as it is (EasyR1 382)
        ("The answer is $\\dfrac{7}{9}$.", "\\frac{7}{9}"),
        ("Answer: \\(8\\).", "8"),
        ("Antwort: $(2,5)$", "(2,5)"),
        ("La réponse est \\[ x \\ge 4 \\]", "x \\ge 4"),
        ("**Ответ:** $2+3=5$", "2+3=5"),
        ("答案是 $y^3$。", "y^3"),
        ("답: **11**", "11"),
        ("\\textbf{Answer: } 6", "6"),
        ("Answer: (2, 5)", "(2, 5)"),
        ("Answer: \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"),
        ("**Answer: $\\frac{1}{3}$**", "\\frac{1}{3}"),
        # on the next line (Qwen3 on MMMLU)
        ("The answer is\n\\[\n 9 \n\\]", "9"),
        ("### Final answer:\n\n**10**", "10"),
        ("La réponse est : $$\n\\frac{1}{4}\n$$", "\\frac{1}{4}"),
        # several are never one of them
        ("Answer: 6 or 7", "6, 7"),
        ("Answer: **6 or 7**", "6, 7"),
        ("Answer: $6$ or $7$", "6, 7"),
        ("Answer: 6 hours or 7 hours", "6, 7"),
        ("Antwort: 6 oder 7", "6, 7"),
        ("答案是6或7", "6, 7"),
        ("정답은 6 또는 7", "6, 7"),
        ("Answer: 6-7", "6, 7"),
        ("Answer: $x=6$, $y=7$", "x=6, y=7"),
        ("Answer: 6 + 7", "6 + 7"),
        ("Answer: 0.25 or 25%", "0.25"),
        # denied
        ("The answer is not 6.", ""),
        ("Answer: 6 is incorrect.", ""),
        ("Answer: 6\nSo the answer is not 6.", ""),
        ("Answer: 6\nSo the answer is not 7.", "6"),
        # the whole answer is one formula
        ("$\\sqrt{3}$", "\\sqrt{3}"),
    ],
)
def test_an_announced_answer_is_read_whole(text, answer):
    assert extract("</think>" + text, "flexible").answer == answer


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("The answer is (C).", "C"),
        ("C", "C"),
        ("C. Lisbon", "C"),
        ("So the sum is odd.\n\n**D**", "D"),
        ("Answer:\nD", "D"),
        ("### Final Answer\n**D. Lisbon**", "D"),
        ("**উত্তর:**\n**C. নদী**", "C"),
        ("正确答案是D", "D"),
        ("La respuesta correcta es la D.", "D"),
        ("คำตอบที่ถูกต้องคือ ข้อ D", "D"),
        ("তাই সঠিক উত্তর হল গ", "C"),
        ("따라서 정답은 (D)이다.", "D"),
        ("したがって、正解は(D)です。", "D"),
        ("Option D is the answer.", "D"),
        ("So I choose D.", "D"),
        ("The answer is \\(\\text{D}\\).", "D"),
        ("Jawaban yang benar adalah C.", "C"),
        ("الإجابة الصحيحة هي ج", "C"),
        ("Đáp án đúng là C.", "C"),
        ("Правильный ответ: Г", "D"),
        ("The answer is D because B is wrong", "D"),
        ("Answer: D\n\nA is wrong. B is wrong.", "D"),
        ("**Answer: C. The proof is wrong**", "C"),
        ("The answer is \\textbf{C}.", "C"),
        # a rejected option is none, and the last announcement decides
        ("**Answer: C. I and II** is incorrect.\n**Final Answer: B. II only**", "B"),
        ("**Answer: C. I and II** cannot be.", None),
        ("Answer: C\nWait, the answer is not C.", None),
        ("Answer: C\nNo, C is wrong.", None),
        ("Answer: C or D", None),
        ("คำตอบไม่ใช่ ค", None),
        ("答えはCではありません", None),
        ("Answer: C\nAnswer: C or D", None),
        # letters that no announcement introduces
        ("To answer this, look at option B first.", None),
        ("The answer is A river.", None),
        ("Answer: Vitamin C", None),
        ("A\nB\nC\nD", None),
        ("Item 5.", None),
    ],
)
def test_an_announced_option(text, option):
    assert extract("</think>" + text, "flexible", "choice").answer == option


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("\\boxed{C}, \\boxed{C}", "C"),
        ("\\boxed{C} or \\boxed{C. Lisbon}", "C. Lisbon"),
        ("\\boxed{C} or \\boxed{D}", "C, D"),
        ("\\boxed{A. I} or \\boxed{C. II}", ""),
        ("\\boxed{A} is tempting. \\boxed{C}", "C"),
    ],
)
def test_boxes_with_different_options_name_none(text, answer):
    assert extract("</think>" + text, "strict", "choice").answer == answer


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ("strict", "\\boxed{5}\n\nQuestion: What is 4 + 4?\nAnswer: \\boxed{8}"),  # sglang 29933
        ("flexible", "Answer: 5\n\nHuman: What is 4 + 4?\nAnswer: 8"),
        ("flexible", "答案是5。\n问题：4加4？\n答案是8。"),
        ("strict", "Question: 2 + 3?\n\\boxed{5}"),
    ],
)
def test_the_answer_to_another_question_is_not_meant(rules, text):
    assert extract("</think>" + text, rules).answer == "5"


def test_a_model_that_does_not_think_answers_in_all_it_writes():
    assert extract("So \\boxed{5}", "strict", thinks=False) == Extraction("5", "box")


def test_an_answer_that_is_too_long_is_not_cut_into_a_right_one():
    assert extract("</think>\\boxed{1" + " " * MAXIMUM_ANSWER + "z}", "strict").answer == ""
    assert extract("</think>\\boxed{" + " " * 1000 + "1}", "strict").answer == "1"


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "{",
        "}",
        "\\boxed{",
        "\\boxed{}",
        "\\boxed ",
        "\\{",
        "\\",
        "</think>",
        "<think>",
        "answer ",
        "1,",
        "1 ",
        "9",
        "-",
        "\\frac{1}{",
        "\\boxed5",
        "\\boxed{5}" + " " * 79,
        "\\boxed{5}, ",
        "answer is $",
        "Answer: B ",
        "or 3 ",
        "\nQuestion:",
        "\\[",
        "**",
    ],
)
def test_time_is_linear_in_hostile_text(rules, unit):
    began = time.perf_counter()
    extract("</think>" + unit * (100_000 // len(unit)), rules)
    extract("</think>\\boxed{" + unit * (100_000 // len(unit)) + "}", rules)
    assert time.perf_counter() - began < 3.0  # quadratic time takes minutes


@pytest.mark.parametrize(
    "answer", ["1" * 26 + "+1", "1" * 26 + "+π", "0.3333333333333333333333…", "1" * 23 + " = x", "一" * 200 + "+"]
)
@pytest.mark.parametrize("language", ["zh", "ko", "en"])
def test_no_answer_takes_exponential_time(answer, language):
    from src.grading.numbers import readings

    began = time.perf_counter()
    readings(answer, language)
    assert time.perf_counter() - began < 0.5

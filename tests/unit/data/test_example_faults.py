"""What is wrong with a worked example, by reason; and how many may be wrong."""

import pytest

from src.data.example_faults import check_share, summary
from src.data.readers import BadData
from src.data.records import Example
from src.grading.grader import GraderSpec
from src.language.detector import DetectorSpec
from src.rollout.examples import judge_examples
from src.rollout.judge import Judge

FRENCH = "Il y a quatre pommes dans le panier, et nous en ajoutons trois autres."
ENGLISH = "There are four apples in the basket, and we add three more of them."
SWAHILI = "Kuna matofaa manne kwenye kikapu, kisha tunaongeza mengine matatu."
TELUGU = "బుట్టలో నాలుగు పండ్లు ఉన్నాయి, మనం మరో మూడు కలుపుతాము."
JAPANESE = "かごにはりんごが四つあり、さらに三つ加えます。"


def example(completion, gold="7", language="fr", kind="expression"):
    return Example("p", language, "Combien ?", gold, completion, kind=kind)


def reasons(examples, thinks=True, detector=None):
    with Judge(detector or DetectorSpec(), GraderSpec(), thinks) as judge:
        return [item.reason for item in judge_examples(judge, examples)]


def test_a_good_example_has_nothing_against_it_in_any_language_and_notation():
    good = [
        example(f"{FRENCH}\n</think>\n\nLa réponse est \\boxed{{7}}."),
        example(f"<think>\n{FRENCH}\n</think>\n\n\\boxed{{7}}"),
        example(f"{SWAHILI}</think>\\boxed{{7}}", language="sw"),
        example(f"{TELUGU}</think>\\boxed{{7}}", language="te"),
        example(f"{JAPANESE}</think>\\boxed{{7}}", language="ja"),
        example(f"{FRENCH}</think>\\boxed{{1\\,200{{,}}5}}", gold="1200.5"),
        example(f"{FRENCH}</think>\\boxed{{B}}", gold="B", kind="choice"),
        example("4 + 3 = 7</think>\\boxed{7}"),  # nothing that has a language
    ]
    assert reasons(good) == [""] * len(good)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (example(f"{FRENCH} \\boxed{{7}}"), "no_trace"),
        (example(f"<think>{FRENCH} \\boxed{{7}}"), "no_trace"),
        (example("</think>\\boxed{7}"), "no_trace"),
        (example(f"{FRENCH} \\boxed{{7}}</think>"), "no_answer"),
        (example(f"{FRENCH}</think>{FRENCH}</think>\\boxed{{7}}"), "malformed"),
        (example(f"{FRENCH}</think>La réponse est 7."), "no_box"),
        (example(f"{FRENCH}</think>\\boxed{{8}}"), "wrong"),
        (example(f"{FRENCH}</think>\\boxed{{A}}", gold="C", kind="choice"), "wrong"),
        (example(f"{ENGLISH}</think>\\boxed{{7}}"), "language"),
        (example(f"{SWAHILI}</think>\\boxed{{7}}", language="te"), "language"),
        (example(f"{TELUGU}</think>\\boxed{{7}}", language="sw"), "language"),
        (example(f"{FRENCH}</think>\\boxed{{7}}", gold=""), "no_gold"),
    ],
)
def test_each_fault_has_its_reason(row, reason):
    assert reasons([row]) == [reason]


def test_of_a_model_that_does_not_mark_thinking_the_whole_text_counts():
    rows = [
        example(f"{FRENCH} \\boxed{{7}}"),
        example(f"{ENGLISH} \\boxed{{7}}"),
        example(f"{FRENCH}</think>\\boxed{{7}}"),
    ]
    assert reasons(rows, thinks=False) == ["", "language", "malformed"]


def test_a_language_that_the_detector_does_not_tell_apart_is_not_held_against_an_example():
    vietnamese = "Trong giỏ có bốn quả táo, và chúng ta thêm ba quả nữa vào đó."
    row = example(f"{vietnamese}</think>\\boxed{{7}}", language="vi")
    assert reasons([row], detector=DetectorSpec(languages=["fr", "en"])) == [""]


def test_more_faults_than_the_share_stop_with_counts_and_rows():
    good = example(f"{FRENCH}</think>\\boxed{{7}}")
    rows = [*[good] * 8, example(f"{ENGLISH}</think>\\boxed{{7}}"), example(f"{FRENCH}</think>\\boxed{{8}}", gold="7")]
    with Judge(DetectorSpec(), GraderSpec(), True) as judge:
        findings = judge_examples(judge, rows)
    check_share(findings, 0.2, "sft.jsonl")
    with pytest.raises(BadData) as caught:
        check_share(findings, 0.1, "sft.jsonl")
    text = str(caught.value)
    assert "sft.jsonl: at most 10.00% of the worked examples may be faulty (data.maximum_faulty); 2 of 10 are" in text
    assert "wrong: problem 'p' (fr): \"'8' for '7'\"" in text and "language: problem 'p' (fr): 'en for fr'" in text
    lines = summary(findings).splitlines()
    assert lines[0].split() == ["language", "examples", "wrong", "language"]
    assert lines[1].split() == ["fr", "10", "1", "1"] and lines[2].split() == ["all", "10", "1", "1"]

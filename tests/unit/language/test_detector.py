"""The detector where it is easily fooled: long traces, switches within a line, formulas, fragments, hostile text."""

import time

import pytest

from src.language.detector import Detector, DetectorSpec
from src.language.fidelity import measure_fidelity
from src.language.table import UnknownLanguage

DETECTOR = Detector(DetectorSpec())
FRENCH = "Ensuite, nous ajoutons les deux nombres pour obtenir le total."
ENGLISH = "Then we add the two numbers together to get the total."
JAPANESE = "次に、この二つの数を足して合計を求めます。"
CHINESE = "然后我们把这两个数相加得到总和。"


def test_all_of_a_long_trace_counts_and_not_its_beginning():
    text = "\n".join([FRENCH] * 400 + [ENGLISH] * 600)
    assert DETECTOR.detect(text) == "en"


def test_a_switch_within_a_line_is_seen():
    mixed = measure_fidelity(f"{FRENCH} {FRENCH} {ENGLISH} {FRENCH}\n</think>", "fr", DETECTOR)
    assert mixed.in_language and mixed.code_switched and not mixed.line_pass
    assert measure_fidelity(f"{JAPANESE}{CHINESE}{JAPANESE}\n</think>", "ja", DETECTOR).code_switched


def test_short_sentences_are_judged_with_those_that_follow():
    (line,) = DETECTOR.lines("Oui. Non. Ensuite, nous ajoutons les nombres.")
    assert (line.language, line.letters) == ("fr", 35)  # 3 + 3 + 7 + 4 + 8 + 3 + 7


def test_a_switch_into_a_display_is_no_switch():
    text = f"{FRENCH}\n\\[\n\\text{{the total number of apples}} = \\frac{{a}}{{b}} \\\\ and so on and so forth\n\\]\n{FRENCH}"
    assert not measure_fidelity(text + "\n</think>", "fr", DETECTOR).code_switched


def test_amounts_in_dollars_on_two_lines_hide_nothing_between_them():
    assert DETECTOR.detect(f"Il a $5 de plus.\n{FRENCH}\nElle a $6 de moins.") == "fr"


def test_without_a_majority_the_language_is_unknown():
    assert DETECTOR.detect(f"{FRENCH}\n{ENGLISH}\nЗатем мы складываем два числа, чтобы получить сумму.") is None


def test_two_scripts_in_equal_parts_of_one_sentence_are_unknown():
    assert DETECTOR.detect("together складыва") is None


def test_a_script_no_language_uses_is_unknown():
    assert Detector(DetectorSpec(languages=["fr", "en"])).detect(JAPANESE) is None


@pytest.mark.parametrize(
    "unit", ["x", "[", "$", "a. ", "1. ", "か。", "word ", "\n", "a\n", "\ud800 abc ", "Il y a. ", "a. 1. ", "é. 2) "]
)
def test_hostile_text_takes_bounded_time(unit):
    began = time.process_time()
    DETECTOR.detect(unit * (100_000 // len(unit)))
    assert time.process_time() - began < 2.0


def test_long_lines_are_not_remembered():
    detector = Detector(DetectorSpec())
    detector.detect("か" * 5_500)
    assert detector._identified.cache_info().currsize == 0


def test_violations_name_the_field_and_the_value():
    spec = DetectorSpec(languages=[], minimum_letters=0, minimum_margin=-1.0)
    assert [text.split(" ")[0] for text in spec.violations()] == [
        "detector.languages",
        "detector.minimum_letters",
        "detector.minimum_margin",
    ]
    assert DetectorSpec().violations() == []


def test_an_unknown_code_is_refused_when_the_detector_is_made():
    with pytest.raises(UnknownLanguage, match="jp"):
        Detector(DetectorSpec(languages=["jp"]))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("zh", "苹果12个。\n吃了3个。\n送人4个。\n还剩5个。\n每个2元。\n共10元。"),
        ("ja", "りんご12個。\n朝3個。\n昼4個。\n残り5個。"),
        ("fr", "Pommes : douze.\nMangées : trois.\nReste : neuf.\nPrix : deux.\nTotal : dix-huit."),
    ],
)
def test_short_lines_are_judged_together(code, text):
    assert DETECTOR.detect(text) == code


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ja", "まず合計を出します。\n火曜、木曜、土曜：2日 × 3時間\n以上計算終了\nしたがって答えは六時間です。"),
        ("zh", "他最喜欢的动画片是となりのトトロ，我们先数一数一共有多少集，然后乘以三。"),
        ("zh", "我们看了《君の名は》这部电影，每张票八元。"),
        ("en", "Then we count the tickets.\n**Bicycle:** 1 person × 2 tires\nSo we get twelve tickets in total."),
        (
            "sw",
            "Tunahesabu umbali wa kila mji kwanza.\n- Memphis: 12\n- Denver, Boston: 15\nJumla ya umbali ni ishirini na saba.",
        ),
        ("fr", "Julie déteste courir. Hier, elle a parcouru trois kilomètres avec son frère."),
        ("fr", "Il lit « Война и мир » pendant trois heures. Ensuite, il lit encore deux heures."),
        (
            "fr",
            "On écrit un programme :\n```python\nfor apple in basket:\n    # add the price of every apple\n    total += 1\n```\nLe total est de douze pommes.",
        ),
    ],
)
def test_names_titles_and_code_are_no_switch(code, text):
    fidelity = measure_fidelity(f"{text}\n</think>", code, DETECTOR)
    assert fidelity.in_language and fidelity.line_pass and not fidelity.switches


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("まず合計を出します。\n然后我们把这两个数相加。\nしたがって答えは六です。", ["ja", "zh", "ja"]),
        ("我们先算总和。\nしたがって答えは六です。", ["zh", "ja"]),
        (f"{FRENCH} Then we add them. {FRENCH}", ["fr", "en", "fr"]),
        ("จากนั้นเราบวกเลข and so we get ten apples นั่นคือคำตอบ", ["th", "en", "th"]),
    ],
)
def test_real_switches_are_still_seen(text, languages):
    assert [line.language for line in DETECTOR.lines(text)] == languages


def test_other_forms_of_letters_have_their_language():
    assert (
        DETECTOR.detect("Ｔｈｅｎ　ｗｅ　ｃｏｕｎｔ　ａｌｌ　ｔｈｅ　ａｐｐｌｅｓ　ｉｎ　ｔｈｅ　ｂａｓｋｅｔ．")
        == "en"
    )
    assert DETECTOR.detect("ﾂｷﾞﾆﾘﾝｺﾞｦｶｿﾞｴﾏｽ。") == "ja"


def test_the_same_text_has_the_same_verdict_whatever_was_asked_before():
    texts = [FRENCH, f"{FRENCH} {ENGLISH}", CHINESE, JAPANESE, "Le total. The total."]
    first = [Detector(DetectorSpec()).lines(text) for text in texts]
    one = Detector(DetectorSpec())
    assert [one.lines(text) for text in reversed(texts)] == first[::-1]
    assert [one.lines(text) for text in texts] == first

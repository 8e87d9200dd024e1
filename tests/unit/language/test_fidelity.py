"""Languages, traces, mathematics, detection and fidelity."""

import time

import pytest

from src.language.detector import Detector, DetectorSpec
from src.language.fidelity import measure_fidelity
from src.language.mathematics import strip_mathematics
from src.language.scripts import count_letters
from src.language.table import CORE, UnknownLanguage, language
from src.language.trace import Split, split_trace
from src.language.words import word_pass

DETECTOR = Detector(DetectorSpec())
SENTENCES = {
    "fr": "Ensuite, nous ajoutons les deux nombres pour obtenir le total.",
    "ja": "次に、この二つの数を足して合計を求めます。",
    "ko": "그다음 두 수를 더해서 합계를 구합니다.",
    "th": "จากนั้นนำจำนวนทั้งสองมาบวกกันเพื่อหาผลรวม",
    "pt": "Em seguida, somamos os dois números para obter o total.",
    "bn": "তারপর আমরা দুটি সংখ্যা যোগ করে মোট বের করি।",
    "en": "Then we add the two numbers together to get the total.",
    "es": "Luego sumamos los dos números para obtener el total.",
    "ru": "Затем мы складываем два числа, чтобы получить сумму.",
    "sw": "Kisha tunajumlisha namba hizo mbili ili kupata jumla.",
    "te": "తర్వాత రెండు సంఖ్యలను కలిపి మొత్తం కనుగొంటాము.",
    "zh": "然后我们把这两个数相加得到总和。",
    "de": "Dann zählen wir die beiden Zahlen zusammen, um die Summe zu erhalten.",
}


@pytest.mark.parametrize(("wrong", "hint"), [("jp", "Did you mean"), ("french", "fr"), ("", "Known:")])
def test_an_unknown_code_is_answered_with_the_nearest(wrong, hint):
    with pytest.raises(UnknownLanguage, match=hint):
        language(wrong)


@pytest.mark.parametrize("code", CORE)
def test_a_sentence_of_each_language_is_identified(code):
    assert DETECTOR.detect(SENTENCES[code]) == code


@pytest.mark.parametrize(
    "text", ["", "   ", "42", "\\boxed{5}", "$x^2+3x=10$", "a", "x y z", "か", "Luego", "\ud800\ud800"]
)
def test_what_cannot_be_told_is_unknown(text):
    assert DETECTOR.detect(text) is None


def test_the_majority_of_the_letters_decides():
    french, english = SENTENCES["fr"], SENTENCES["en"]
    assert DETECTOR.detect(f"{french}\n{french}\n{english}") == "fr"
    assert DETECTOR.detect(f"{english}\n{english}\n{french}") == "en"


def test_mathematics_does_not_sway_the_language():
    assert DETECTOR.detect(SENTENCES["ko"] + " $\\frac{a+b}{2} = \\text{average of all}$ \\(x+y\\)") == "ko"


def test_a_trace_is_what_stands_before_the_first_close():
    assert split_trace("<think>\na b\n</think>\\boxed{1}</think>") == Split("a b", "\\boxed{1}</think>", True)
    assert split_trace("a b") == Split("a b", "", False)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a $$x$$ b", "a   b"),
        ("so 4+8=12.", "so"),
        ("x2 is 5", "x2 is"),
        ("\\frac{1}{2} of it", "of it"),
        ("\\begin{align}a\\end{align} c", "c"),
        ("\\(a\\) and \\[b\nc\\] d", "and   d"),
    ],
)
def test_mathematics_is_removed(text, left):
    assert strip_mathematics(text) == left


@pytest.mark.parametrize("text", ["[" * 100_000, "\\" * 100_000, "$" * 99_999, "\\begin{" * 20_000, "1a" * 50_000])
def test_hostile_text_takes_bounded_time(text):
    began = time.process_time()
    DETECTOR.detect(text)
    measure_fidelity(text, "fr", DETECTOR)
    assert time.process_time() - began < 1.0


def test_letters_are_counted_by_script():
    assert count_letters("abcé абв 12") == {"latin": 4, "cyrillic": 3}
    assert count_letters("りんご五個") == {"japanese": 5}
    assert count_letters("苹果五个") == {"han": 4}


def test_fidelity_of_a_good_trace():
    good = measure_fidelity(f"{SENTENCES['th']}\n</think>\\boxed{{3}}", "th", DETECTOR)
    assert good.in_language and good.line_pass and good.word_pass and not good.code_switched and good.closed


def test_a_trace_that_never_closes_or_is_empty_earns_nothing():
    cut = measure_fidelity(SENTENCES["th"], "th", DETECTOR)
    assert cut.detected == "th" and not (cut.in_language or cut.line_pass or cut.word_pass or cut.closed)
    empty = measure_fidelity("</think>\\boxed{3}", "th", DETECTOR)
    assert empty.detected is None and not (empty.in_language or empty.line_pass or empty.word_pass)


def test_a_switch_in_the_middle_is_seen():
    mixed = measure_fidelity(
        f"{SENTENCES['ko']}\n{SENTENCES['en']}\n{SENTENCES['ko']}\n{SENTENCES['ko']}\n</think>", "ko", DETECTOR
    )
    assert mixed.code_switched and not mixed.line_pass


@pytest.mark.parametrize(
    ("text", "code", "passes"),
    [
        ("数は apple です", "ja", False),
        ("数は x です", "ja", True),
        ("le nombre", "fr", True),
        ("le число", "fr", False),
    ],
)
def test_words_in_the_wrong_script(text, code, passes):
    assert word_pass(text, code) is passes

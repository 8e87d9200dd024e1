"""Detection of several languages: remembered words give what lingua gives."""

import pytest
from lingua import Language, LanguageDetectorBuilder

from src.language.evidence import Evidence
from src.language.multiple import Multiple, _merged

LANGUAGES = [
    Language.ENGLISH,
    Language.FRENCH,
    Language.GERMAN,
    Language.CHINESE,
    Language.JAPANESE,
    Language.THAI,
    Language.RUSSIAN,
]
TEXTS = [
    "Then we add the two numbers together to get the total, which is the number of apples that are left.",
    "Ensuite nous ajoutons les deux nombres. Then we add the two numbers together to get the total.",
    "Dann zählen wir beide zusammen, and then we subtract three, et enfin nous divisons par quatre.",
    "然后我们把这两个数相加得到总和。Then we add the two numbers.",
    "次に、この二つの数を足します。",
    "จากนั้นนำจำนวนทั้งสองมาบวกกัน so the total is twelve",
    "Затем мы складываем два числа. 然后相加。",
    "abc",
    "x",
    "",
    "12 + 3",
    "word " * 50 + "et puis nous ajoutons",
    "a b c d e",
    "l'eau d'été n'est-ce pas",
    "Затем мы складываем два числа.",
    "จากนั้นนำจำนวนทั้งสองมาบวกกัน",
    "所以一共有十二个苹果。",
    "ー漢字を足す",
    "ー",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_languages_are_those_of_lingua(text):
    lingua = LanguageDetectorBuilder.from_languages(*LANGUAGES).build()
    wanted = {run.language.name for run in lingua.detect_multiple_languages_of(text)} if text else set()
    multiple = Multiple(LANGUAGES)
    assert multiple.languages_of(text) == wanted and multiple.languages_of(text) == wanted  # asked, and remembered


@pytest.mark.parametrize("text", TEXTS)
def test_the_language_of_a_text_is_the_one_lingua_names(text):
    name = LanguageDetectorBuilder.from_languages(*LANGUAGES).build().detect_language_of(text)
    assert Multiple(LANGUAGES).language_of(text) == (name and name.name)


def test_runs_of_one_word_join_their_neighbours_until_one_is_left():
    assert _merged([("FRENCH", 3), ("ENGLISH", 1), ("FRENCH", 2)]) == {"FRENCH"}
    assert _merged([("FRENCH", 1), ("ENGLISH", 1)]) == {"FRENCH"}
    assert _merged([]) == set()


def test_evidence_adds_up_over_words_and_no_word_decides_alone():
    evidence = Evidence(("de", "en", "fr"), per_word=20.0)
    best, margin = evidence.best("Ensuite nous ajoutons les deux nombres")
    assert best == "fr" and margin > 20
    assert evidence.best("Ensuite nous ajoutons les deux nombres nombres nombres") == (best, margin)  # each word once
    one = Evidence(("de", "en", "fr"), per_word=3.0).best("ajoutons")
    assert one[0] == "fr" and one[1] <= 3.0
    assert evidence.best("123 + 4") == (None, 0.0)


def test_a_foreign_name_does_not_decide_the_language_of_a_sentence():
    assert Evidence(("de", "en", "fr"), per_word=20.0).best("Matthew hatte noch Cracker übrig")[0] == "de"

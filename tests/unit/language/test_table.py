"""Names of languages as data files have them."""

import pytest

from src.language.table import LANGUAGES, UnknownLanguage, code_of, language_in


@pytest.mark.parametrize("code", LANGUAGES)
def test_codes_tags_and_names_of_every_language(code):
    name = LANGUAGES[code].name
    for tag in (code, code.upper(), f"{code}-XX", f"{code}_xx", f" {name} ", name.upper(), f"{name} (x)"):
        assert code_of(tag) == code


@pytest.mark.parametrize(
    ("tag", "code"), [("zh-Hant-TW", "zh"), ("arb_Arab", "ar"), ("zsm_Latn", "ms"), ("de_AT.UTF-8", "de")]
)
def test_longer_tags(tag, code):
    assert code_of(tag) == code


@pytest.mark.parametrize("tag", ["", "xx", "yue", "frog", "uk-UA", "fr FR", "Klingon", "-fr"])
def test_what_is_no_language_of_the_table_is_refused(tag):
    with pytest.raises(UnknownLanguage, match="unknown language code"):
        code_of(tag)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("samples_mgsm_native_cot_sw_2025-02-03T04-05-06.7", "sw"),
        ("samples_mgsm_en_cot_th_2025-02-03T04-05-06.7", "th"),
        ("samples_mgsm_en_cot_eu_2025-02-03T04-05-06.7", None),  # Basque
        ("samples_mgsm_direct_es_spanish_bench_2025-02-03", "es"),
        ("details_mgsm:tel|0_2025-02-03T04", "te"),
        ("samples_gsm8k_2025-02-03T04-05-06.7", None),
        ("pt-BR", "pt"),
    ],
)
def test_the_language_of_a_task(name, code):
    assert language_in(name) == code

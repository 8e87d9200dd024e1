"""Which languages are averaged together, for runs that saw the same or different ones."""

from src.analysis.domains import describe, domains_of, over
from src.language.table import LANGUAGES


def test_seen_are_the_languages_of_the_rows_trained_on():
    domains = domains_of([["sw", "te"]])
    assert domains["seen"] == ("sw", "te")
    assert "fr" in domains["unseen"] and len(domains["unseen"]) == len(LANGUAGES) - 2
    assert domains["all"] == tuple(LANGUAGES)


def test_what_only_some_runs_saw_is_neither():
    domains = domains_of([["fr", "sw"], ["sw", "te"], None])
    assert domains["seen"] == ("sw",)
    assert not {"fr", "te", "sw"} & set(domains["unseen"]) and "ja" in domains["unseen"]


def test_runs_without_a_common_language_have_no_seen_ones():
    assert set(domains_of([["fr"], ["te"]])) == {"unseen", "all"}


def test_nothing_is_guessed_of_a_model_whose_training_is_unknown():
    assert set(domains_of([None])) == set(domains_of([])) == set(domains_of([[]])) == {"all"}


def test_the_languages_seen_are_described_by_run_where_runs_differ():
    assert describe({"base": None, "sft": ["fr", "ja"], "grpo": ["fr", "ja"]}) == "fr, ja"
    assert describe({"A": ["fr"], "B": None, "C": ["te"]}) == "A: fr; B: unknown; C: te"
    assert describe({"A": None}) == "unknown"


def test_without_english_is_a_domain_where_english_and_another_language_were_asked():
    domains = domains_of([["fr"]], ["en", "fr", "sw"])
    assert list(domains) == ["seen", "unseen", "non-en", "all"]
    assert "en" not in domains["non-en"] and len(domains["non-en"]) == len(LANGUAGES) - 1
    assert set(domains_of([], ["fr", "sw"])) == set(domains_of([], ["en"])) == {"all"}
    assert over(domains, ["en", "fr", "sw"]) == "seen: fr; unseen: en, sw; non-en: fr, sw; all: en, fr, sw"

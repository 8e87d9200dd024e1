"""The groups of languages that results are averaged over: seen in training, unseen, all but English, and all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from src.language.table import LANGUAGES

SEEN, UNSEEN, NON_ENGLISH, ALL = "seen", "unseen", "non-en", "all"
DOMAINS = (SEEN, UNSEEN, NON_ENGLISH, ALL)
ENGLISH = "en"
Seen = Sequence[str] | None  # languages seen in training; None: unknown


def domains_of(seen: Iterable[Seen], asked: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """Domain -> its languages, for runs that saw the languages `seen`, one entry a run, and were `asked` in those.

    `seen` are the languages that every run with known training saw, `unseen` those that none saw: what only some runs saw is in
    `all` alone. Runs whose training is unknown, or that never trained, are averaged as the others are; where none
    is known, there is no such domain. `non-en` is all but English, in which a model is best and which it falls back to; it is there
    where English and another language were asked, and else would say nothing of its own.
    """
    known = [set(codes) for codes in seen if codes]
    everything = {ALL: tuple(LANGUAGES)}
    if ENGLISH in asked and len(set(asked)) > 1:
        everything = {NON_ENGLISH: tuple(code for code in LANGUAGES if code != ENGLISH)} | everything
    if not known:
        return everything
    by_all, by_any = set.intersection(*known), set.union(*known)
    split = {
        SEEN: tuple(code for code in LANGUAGES if code in by_all),
        UNSEEN: tuple(code for code in LANGUAGES if code not in by_any),
    }
    return {name: codes for name, codes in split.items() if codes} | everything


def over(domains: Mapping[str, Sequence[str]], asked: Sequence[str]) -> str:
    """Which of the languages `asked` each domain is over.

    >>> over({"seen": ("fr", "th"), "non-en": ("fr", "ja", "th"), "all": ("en", "fr", "ja", "th")}, ["en", "fr", "ja"])
    'seen: fr; non-en: fr, ja; all: en, fr, ja'
    """
    texts = {name: ", ".join(sorted(code for code in codes if code in asked)) for name, codes in domains.items()}
    return "; ".join(f"{name}: {text}" for name, text in texts.items() if text)


def describe(seen: Mapping[str, Seen]) -> str:
    """Which languages were seen in training, by run where the runs differ."""
    texts = {name: ", ".join(codes) if codes else "unknown" for name, codes in seen.items()}
    known = {text for text in texts.values() if text != "unknown"}
    if len(known) <= 1:
        return next(iter(known), "unknown")
    return "; ".join(f"{name}: {text}" for name, text in texts.items())

"""The groups of languages that results are averaged over: those seen in training, those unseen, and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from src.language.table import LANGUAGES

SEEN, UNSEEN, ALL = "seen", "unseen", "all"
DOMAINS = (SEEN, UNSEEN, ALL)
Seen = Sequence[str] | None  # languages seen in training; None: unknown


def domains_of(seen: Iterable[Seen]) -> dict[str, tuple[str, ...]]:
    """Domain -> its languages, for runs that saw the languages `seen`, one entry a run.

    `seen` are the languages that every run with known training saw, `unseen` those that none saw: what only some runs saw is in
    `all` alone. Runs whose training is unknown, or that never trained, are averaged as the others are; where none
    is known, there is `all` alone.
    """
    known = [set(codes) for codes in seen if codes]
    everything = {ALL: tuple(LANGUAGES)}
    if not known:
        return everything
    by_all, by_any = set.intersection(*known), set.union(*known)
    split = {
        SEEN: tuple(code for code in LANGUAGES if code in by_all),
        UNSEEN: tuple(code for code in LANGUAGES if code not in by_any),
    }
    return {name: codes for name, codes in split.items() if codes} | everything


def describe(seen: Mapping[str, Seen]) -> str:
    """Which languages were seen in training, by run where the runs differ."""
    texts = {name: ", ".join(codes) if codes else "unknown" for name, codes in seen.items()}
    known = {text for text in texts.values() if text != "unknown"}
    if len(known) <= 1:
        return next(iter(known), "unknown")
    return "; ".join(f"{name}: {text}" for name, text in texts.items())

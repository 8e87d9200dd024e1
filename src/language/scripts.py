"""Counting letters by writing system, the first and surest sign of a language."""

from __future__ import annotations

import re

SCRIPTS = {
    "latin": re.compile(r"[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]"),
    "cyrillic": re.compile(r"[\u0400-\u052f]"),
    "arabic": re.compile(r"[\u0621-\u064a\u066e-\u06d3\u0750-\u077f]"),
    "bengali": re.compile(r"[\u0980-\u09e5\u09f0-\u09ff]"),
    "telugu": re.compile(r"[\u0c00-\u0c65\u0c70-\u0c7f]"),
    "thai": re.compile(r"[\u0e01-\u0e4e]"),
    "hangul": re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]"),
    "kana": re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc]"),
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"),
}
# Scripts whose letters are syllables, words, or letters with marks: few of them already make a sentence.
DENSE = ("bengali", "telugu", "thai", "hangul", "japanese", "han")


class _ScriptOf(dict[str, str]):
    """Character -> the script of a letter, empty for what is no letter of a known one; looked for when it is first asked for."""

    def __missing__(self, character: str) -> str:
        script = next((name for name, letters in SCRIPTS.items() if letters.fullmatch(character)), "")
        self[character] = script
        return script


_SCRIPT_OF = _ScriptOf()
_NO_LETTERS = {code: None for code in range(128) if not chr(code).isalpha()}


def scripts_of(text: str) -> set[str]:
    """The scripts of which `text` has letters; kana and Han are both `japanese` where there are kana."""
    scripts = set(map(_SCRIPT_OF.__getitem__, set(text))) - {""}
    return scripts - {"kana", "han"} | {"japanese"} if "kana" in scripts else scripts


def count_letters(text: str) -> dict[str, int]:
    """Script -> letters of it in `text`, only those that occur. Kana and Han together are `japanese`, Han alone
    `han`: Chinese has no kana."""
    if text.isascii():
        letters = len(text.translate(_NO_LETTERS))
        return {"latin": letters} if letters else {}
    scripts = [*map(_SCRIPT_OF.__getitem__, text)]
    counts = {script: scripts.count(script) for script in set(scripts) if script}
    if "kana" in counts or "han" in counts:
        kana = counts.pop("kana", 0)
        han = counts.pop("han", 0)
        counts["japanese" if kana * 10 >= han and kana else "han"] = kana + han
    return counts

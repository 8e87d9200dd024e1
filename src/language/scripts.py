"""Counting letters by writing system, the first and surest sign of a language."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

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
_HIRAGANA = re.compile(r"[\u3041-\u3096]")
_KATAKANA = re.compile(r"[\u30a1-\u30fa]")
_HAN = SCRIPTS["han"]
_QUOTED = re.compile(r"[《「『“][^《》「」『』“”\n]{1,60}[》」』”]")
# Words of Chinese grammar, which in Japanese stand only within longer words.
_PARTICLE = re.compile("[的了是我在有和不就也都把被得着之其所]")
# Scripts whose letters are syllables, words, or letters with marks: few of them already make a sentence.
DENSE = ("bengali", "telugu", "thai", "hangul", "japanese", "han")


class _ScriptOf(dict[str, str]):
    """Character -> the script of a letter, empty for what is no letter of a known one; looked for when it is first asked for."""

    def __missing__(self, character: str) -> str:
        script = next((name for name, letters in SCRIPTS.items() if letters.fullmatch(character)), "")
        self[character] = script
        return script


class _AnyScriptOf(_ScriptOf):
    """The same, `other` being the script of letters of all scripts that have no name here."""

    def __missing__(self, character: str) -> str:
        script = _SCRIPT_OF[character] or ("other" if unicodedata.category(character) == "Lo" else "")
        if not script and character.isalpha() and unicodedata.category(character) in ("Lu", "Ll"):
            script = "other"
        self[character] = script
        return script


class _LetterOf(_ScriptOf):
    """The same, for signs that only modify letters too: whatever may be part of a word has a script."""

    def __missing__(self, character: str) -> str:
        script = _ANY_SCRIPT_OF[character] or ("other" if character.isalpha() else "")
        self[character] = script
        return script


_SCRIPT_OF = _ScriptOf()
_ANY_SCRIPT_OF = _AnyScriptOf()
_LETTER_OF = _LetterOf()
_NO_LETTERS = {code: None for code in range(128) if not chr(code).isalpha()}


def scripts_of(text: str) -> set[str]:
    """The scripts of which `text` has letters; kana and Han are both `japanese` where there are kana."""
    scripts = set(map(_SCRIPT_OF.__getitem__, set(text))) - {""}
    return scripts - {"kana", "han"} | {"japanese"} if "kana" in scripts else scripts


def only_script(text: str) -> str | None:
    """The one script that all letters of `text` are in, `other` being any without a name here, kana and Han together
    `japanese`; empty without letters, None where there are several."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else ""
    scripts = set(map(_LETTER_OF.__getitem__, set(text))) - {""}
    if "kana" in scripts:
        scripts = scripts - {"kana", "han"} | {"japanese"}
    return None if len(scripts) > 1 else next(iter(scripts), "")


def scripts_of_word(word: str, own: str) -> list[set[str]]:
    """The scripts of each two letters in a row of `word`; Han and kana are `own` where that is Japanese."""
    scripts = [_ANY_SCRIPT_OF[letter] for letter in word]
    if own == "japanese":
        scripts = ["japanese" if script in ("han", "kana") else script for script in scripts]
    return [{before, after} if before == after else {own} for before, after in pairwise(scripts)]


def count_letters(text: str) -> dict[str, int]:
    """Script -> letters of it in `text`, only those that occur, `other` being all scripts without a name here.

    Kana and Han together are `japanese`, or `han` where they make a Chinese sentence with a Japanese name.
    """
    if text.isascii():
        letters = len(text.translate(_NO_LETTERS))
        return {"latin": letters} if letters else {}
    scripts = [*map(_ANY_SCRIPT_OF.__getitem__, text)]
    counts = {script: scripts.count(script) for script in dict.fromkeys(scripts) if script}
    if "kana" in counts or "han" in counts:
        kana = counts.pop("kana", 0)
        han = counts.pop("han", 0)
        counts["japanese" if kana and _japanese(text, kana, han) else "han"] = kana + han
    return counts


def _japanese(text: str, kana: int, han: int) -> bool:
    """Whether kana and Han are a Japanese sentence: its particles and endings are hiragana, and what stands in quotes
    may be a title. Of katakana alone, a name has no more than a tenth or stands among Chinese words."""
    if han == 0:
        return True
    chinese = sum(map(_only_chinese, text))
    outside = _QUOTED.sub("", text)
    if outside != text and len(_HAN.findall(outside)) >= 4:
        text = outside
    hiragana = len(_HIRAGANA.findall(text))
    if hiragana:
        return hiragana * 10 >= len(_HAN.findall(text)) and hiragana > 2 * chinese
    return chinese == 0 and bool(_KATAKANA.search(text)) and kana * 10 >= han


@lru_cache(maxsize=8192)
def _only_chinese(letter: str) -> bool:
    """Whether a Han letter is outside of Japan's character set, or 个, 么, 没, which it has and does not use."""
    return letter in "个么没吗吧呢" or (_SCRIPT_OF[letter] == "han" and not _written(letter, "cp932"))


@lru_cache(maxsize=8192)
def _only_japanese(letter: str) -> bool:
    """Whether a Han letter is in Japan's character set and in neither that of China nor that of Taiwan."""
    return (
        _SCRIPT_OF[letter] == "han"
        and _written(letter, "shift_jis")
        and not any(_written(letter, encoding) for encoding in ("gb2312", "big5"))
    )


@lru_cache(maxsize=8192)
def _sign(letter: str) -> int:
    """2 for a letter of Chinese alone, 1 for one that is common in China and rare in Japan, -2 of Japanese alone."""
    if _only_chinese(letter):
        return 2
    if _only_japanese(letter):
        return -2
    if _SCRIPT_OF[letter] != "han" or not _written(letter, "gb2312") or not _written(letter, "shift_jis"):
        return 0
    return int(letter.encode("gb2312")[0] <= 0xD7 and letter.encode("shift_jis")[0] >= 0x98)  # rows of common ones


def _written(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def chinese_or_japanese(text: str) -> int:
    """Above 0 as Han letters of `text` are written, or used, in Chinese alone, below 0 in Japanese alone."""
    return len(_PARTICLE.findall(text)) + sum(map(_sign, text))

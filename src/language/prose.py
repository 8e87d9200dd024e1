"""Which characters of a trace are prose: mathematics, code, tool calls, units, symbols and addresses are blanked.

Nothing moves: every character that stays keeps its position. Everything takes time linear in the length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from src.language.mathematics import blank_displays
from src.language.scripts import scripts_of

_FENCE = re.compile(r"^[ \t]{0,8}(?:```|~~~)", re.MULTILINE)
_TOOL_OPEN = re.compile(r"<(tool_call|tool_response|function_call|tool|code)>")
_SELECTED = re.compile(r"<lang_select>\s{0,9}[a-z]{2,3}\s{0,9}</lang_select>")  # the code in it is no word
_TAG = re.compile(r"</?[A-Za-z][\w-]{0,30}(?:[ =][^<>\n]{0,100})?/?>")
_INLINE_CODE = re.compile(r"`[^`\n]{1,200}`")
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]{1,500}|[\w.+-]{1,60}@[\w-]{1,60}\.[\w.-]{1,60}")
_JSON_LINE = re.compile(r"^[ \t]*(?:[{\[\]}][^\n]*\"[^\n]*|\"\w{1,60}\"[ \t]*:[^\n]*|[{}\[\]],?[ \t]*)$", re.MULTILINE)
_STATEMENT = re.compile(
    r"""^[ \t]*(?:>>>[ ].*
    |(?:async[ ])?def[ ]\w+\(.*|class[ ]\w+[:({].*
    |import[ ]\w[\w.]*(?:[ ]as[ ]\w+)?(?:,[ ]?\w[\w.]*)*|from[ ][\w.]+[ ]import[ ].*
    |return(?:[ ](?:[-\w.]+|.*[(\[+*/%'"].*))?;?
    |for[ ]\w+(?:,[ ]?\w+)*[ ]in[ ][\w.]+(?:[(\[].*)?:|(?:for|while|if|switch)[ ]?\(.*\)[ ]?\{?
    |(?:while|if|elif|with|except)\b.*[=<>!(\[].*:|(?:else|try|finally)[ ]?:|(?:\}[ ]?)?else[ ]?\{|\}
    |(?:print|console\.log|System\.out\.print\w*|printf|assert|len|sum|range)[ ]?\(.*
    |\#include.*|(?:int|float|double|void|char|auto|let|const|var)[ ]\w+[ ]?[=;(\[].*|function[ ]?\w*\(.*
    |[A-Za-z_][\w.]*(?:\[[^\]\n]{0,40}\])?[ ]?[-+*/%]?=[ ]?(?:[\w.\[\]]+\(.*\)|[\[{("'].*|[-\w.]+(?:[ ]?[-+*/%][ ]?[-\w.]+)*);?
    )[ \t]*$""",
    re.VERBOSE,
)
_CODE_SIGNS = re.compile(r"[(=;{]|^[ \t]*(?:import|from|return|else|try)\b", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?:#|//|/\*|\*|--)")
ASIDE = re.compile(
    r"\([^()\n]{1,60}\)|（[^（）\n]{1,60}）|«[^«»\n]{1,60}»|“[^“”\n]{1,60}”|„[^„“”\n]{1,60}[“”]|\"[^\"\n]{1,60}\""
    r"|[《「『【][^《》「」『』【】\n]{1,60}[》」』】]"
)
_PLAIN_WORDS = re.compile(r"^[^=(){}\[\];<>_#|\\]*$")
_GROUP = re.compile(r"\\[a-zA-Z]+\{[^{}\n]*\}")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
UNIT = (
    r"km/h|m/s|mph|km|cm|mm|dm|nm|kg|mg|lb|lbs|oz|ft|yd|ml|mL|cl|dl|cm|kWh|kW|Hz|kHz|MHz|GHz|GB|MB|KB|kB|TB|km²|cm²|m²"
    r"|USD|EUR|GBP|JPY|CNY|AM|PM|am|pm|min|sec|hr|hrs|m|g|l|L|h|s|t|x|V|W|A|J|N|K|C|F|k|M"
)
_UNITS = re.compile(rf"(\d[ \u00a0]?)(?:{UNIT})(?:[²³]|\^\d|/(?:h|s|min|{UNIT}))?(?![^\W\d_]|['’])")
FUNCTIONS = [
    "sin",
    "cos",
    "tan",
    "cot",
    "sec",
    "csc",
    "log",
    "ln",
    "exp",
    "lim",
    "max",
    "min",
    "mod",
    "gcd",
    "lcm",
    "det",
    "sqrt",
]
_FUNCTION = re.compile(rf"(?:{'|'.join(FUNCTIONS)})h?(?<![^\W\d_]...)(?=[ ]?[(\d\\^_²³°{{α-ω]|[ ][a-zA-Z](?![^\W\d_]))")
_IDENTIFIER = re.compile(r"\w{1,40}_\w{1,40}")
_SYMBOL = re.compile(
    r"[\u00b5\u0370-\u03ff]{1,2}(?<![\u0370-\u03ff\u1f00-\u1fff].)(?<![\u0370-\u03ff\u1f00-\u1fff]..)"
    r"(?![\u0370-\u03ff\u1f00-\u1fff])|[\u2100-\u214f\u1d2c-\u1d6a\u2070-\u209f]"
)
_FORMS = re.compile(
    "[\ufb00-\ufb06\ufb50-\ufbff\ufc00-\ufdff\ufe70-\ufefc\uff21-\uff3a\uff41-\uff5a\uff61-\uff9f\uffa1-\uffdc\U0001d400-\U0001d7cb]"
)
_WORDS = re.compile(r"[^\W\d_]{2,}")
_TWO_WORDS = re.compile(r"[^\W\d_]{2,} +[^\W\d_]{2,}")
_LONGEST_STATEMENT = 300  # characters
_LONGEST_SPAN = 400  # characters between two dollars on one line


@lru_cache(maxsize=4)  # two metrics ask of the same trace
def prose(text: str) -> str:
    """`text` with a blank for every character that belongs to no sentence, and letters in their usual form.

    Code that is only words (a fence around a paragraph, say) stays: to put a trace between backquotes hides nothing.
    """
    if _FORMS.search(text):
        text = _FORMS.sub(lambda match: _usual(match.group()), text)
    text = blank_displays(text)
    if "```" in text or "~~~" in text:
        text = _without_fences(text)
    if "<" in text:
        text = _without_tools(text)
    if "`" in text:
        text = _INLINE_CODE.sub(_unless_words, text)
    if _CODE_SIGNS.search(text):
        text = "".join(_without_statements(text.splitlines(keepends=True)))
    if '"' in text or "{" in text:
        text = _JSON_LINE.sub(_blank, text)
    if "://" in text or "www." in text or "@" in text:
        text = _ADDRESS.sub(_blank, text)
    if "$" in text:
        text = _without_dollars(text)
    if "\\" in text:
        text = _without_commands(text)
    if not text.isascii():
        text = _SYMBOL.sub(_blank, text)
    if any(name in text for name in FUNCTIONS):
        text = _FUNCTION.sub(_blank, text)
    if "_" in text:
        text = _IDENTIFIER.sub(_blank, text)
    return _UNITS.sub(_without_unit, text)


def _without_unit(match: re.Match[str]) -> str:
    return match.group(1) + " " * (len(match.group()) - len(match.group(1)))


def without_asides(sentence: str) -> str:
    """A sentence with a blank for what is quoted or in brackets in another script than the rest: a title, a name."""
    if not ASIDE.search(sentence):
        return sentence
    outside = scripts_of(ASIDE.sub("", sentence))

    def blank(aside: re.Match[str]) -> str:
        scripts = scripts_of(aside.group())
        return " " * len(aside.group()) if scripts and scripts.isdisjoint(outside) else aside.group()

    return ASIDE.sub(blank, sentence) if outside else sentence


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _usual(letter: str) -> str:
    """The usual form of a full-width, half-width, mathematical or presentation letter; of a ligature its first."""
    return unicodedata.normalize("NFKC", letter).strip()[:1] or letter


def _lines_of(text: str, blanked: Callable[[str], bool]) -> str:
    return "".join(
        " " * len(line.rstrip("\n")) + line[len(line.rstrip("\n")) :] if blanked(line) else line
        for line in text.splitlines(keepends=True)
    )


def _without_code(text: str) -> str:
    """The lines of a block that are code are blanked; comments with them, as long as there are not more of them."""
    lines = [line for line in text.splitlines() if line.strip()]
    comments = sum(bool(_COMMENT.match(line)) for line in lines)
    words = sum(_only_words(line) for line in lines)
    keep = comments > max(2, len(lines) - comments - words)
    return _lines_of(text, lambda line: not _only_words(line) and not (keep and _COMMENT.match(line) is not None))


def _only_words(line: str) -> bool:
    """Whether a line reads as a sentence: no signs of code, and letters of no program or several words."""
    if _COMMENT.match(line) or not _PLAIN_WORDS.match(line) or _STATEMENT.match(line[:_LONGEST_STATEMENT]):
        return False
    words = _WORDS.findall(line)
    return len(words) >= 4 or any(not word.isascii() for word in words)


def _without_fences(text: str) -> str:
    parts: list[str] = []
    position = 0
    while (opening := _FENCE.search(text, position)) is not None:
        begin = text.find("\n", opening.end())
        closing = _FENCE.search(text, begin) if begin >= 0 else None
        start, stop = opening.start(), closing.end() if closing else len(text)
        if begin < 0:
            begin = len(text)
        inner = closing.start() if closing else len(text)
        parts += [text[position:start], " " * (begin - start), _without_code(text[begin:inner]), " " * (stop - inner)]
        position = stop
    return "".join([*parts, text[position:]])


def _without_tools(text: str) -> str:
    parts: list[str] = []
    position = 0
    while (opening := _TOOL_OPEN.search(text, position)) is not None:
        closing = text.find(f"</{opening.group(1)}>", opening.end())
        stop = closing if closing >= 0 else len(text)
        parts += [text[position : opening.start()], " " * len(opening.group())]
        parts.append(_without_code(text[opening.end() : stop]))
        position = stop
    return _TAG.sub(_blank, _SELECTED.sub(_blank, "".join([*parts, text[position:]])))


def _unless_words(match: re.Match[str]) -> str:
    inner = match.group()[1:-1]
    return f" {inner} " if _only_words(inner) else _blank(match)


def _without_statements(lines: list[str]) -> list[str]:
    """Lines outside of fences that are statements of a program, and comments between them."""
    code = [
        len(line) < _LONGEST_STATEMENT and _STATEMENT.match(line) is not None and not _only_words(line)
        for line in lines
    ]
    if not any(code):
        return lines
    return [
        " " * (len(line) - 1) + "\n"
        if is_code or (_COMMENT.match(line) and i > 0 and code[i - 1] and line[:1] in " \t")
        else line
        for i, (line, is_code) in enumerate(zip(lines, code, strict=True))
    ]


def _without_dollars(text: str) -> str:
    """Formulas between two dollars on a line. Two amounts of money are none: between them stand words."""
    parts: list[str] = []
    position = 0
    start = text.find("$")
    while start >= 0:
        stop = text.find("$", start + 1, start + _LONGEST_SPAN)
        if stop >= 0 and "\n" not in text[start:stop] and _formula(text[start + 1 : stop]):
            parts += [text[position:start], " " * (stop + 1 - start)]
            position = stop + 1
            start = text.find("$", position)
        else:
            start = text.find("$", start + 1)
    return "".join([*parts, text[position:]])


def _formula(inner: str) -> bool:
    if "\\" in inner or not inner:
        return True
    return _TWO_WORDS.search(inner) is None and all(word.isascii() for word in _WORDS.findall(inner))


def _without_commands(text: str) -> str:
    parts: list[str] = []
    position = 0
    while (start := text.find("\\(", position)) >= 0:
        stop = text.find("\\)", start)
        if stop < 0:
            break
        if "\n" in text[start:stop]:
            parts.append(text[position : start + 2])
            position = start + 2
            continue
        parts += [text[position:start], " " * (stop + 2 - start)]
        position = stop + 2
    text = "".join([*parts, text[position:]])
    last = text.rfind("}") + 1  # past it no group closes, and to look for one would take quadratic time
    return _COMMAND.sub(_blank, _GROUP.sub(_blank, text[:last]) + text[last:])

"""Multiple choice: the letter of an option, however it is dressed and in whatever script."""

from __future__ import annotations

import re
import unicodedata

from src.grading.phrases import AND_OR, BECAUSE, NOT, WRONG, because, either, wrong

LETTERS = "ABCDEFGHIJ"
# How options are lettered in other scripts, from A on, and the names of Latin letters written in them.
_SERIES = (
    *("أ ب ج د ه و ز ح ط ي", "ا ب ج د هـ"),
    *("ক খ গ ঘ ঙ চ ছ জ ঝ ঞ", "এ বি সি ডি ই এফ জি এইচ আই জে"),
    *("అ ఆ ఇ ఈ ఉ ఊ", "ఎ బి సి డి", "ఏ", "క ఖ గ ఘ ఙ చ"),
    *("ก ข ค ง จ ฉ ช ซ ฌ ญ", "เอ บี ซี ดี อี เอฟ จี เอช ไอ เจ"),
    *("ㄱ ㄴ ㄷ ㄹ ㅁ ㅂ ㅅ ㅇ ㅈ ㅊ", "가 나 다 라 마 바 사 아 자 차", "에이 비 씨 디 이 에프"),
    *("ア イ ウ エ オ カ キ ク ケ コ", "あ い う え お か き く け こ", "エー ビー シー ディー イー エフ"),
    "甲 乙 丙 丁 戊 己 庚 辛 壬 癸",
)
# Cyrillic: those that look like Latin letters are taken for them (В is B, as it is typed for it), the rest by order.
_CYRILLIC = dict(zip("АВСЕНІ" + "БГДЖЗИ", "ABCEHI" + "BDEGHI", strict=True))
_NATIVE = {sign: LETTERS[place] for series in _SERIES for place, sign in enumerate(series.split())}
_SQUARED = {base + place: sign for base in (0x1F150, 0x1F170) for place, sign in enumerate(LETTERS)}  # NFKC leaves them

_OTHER = "(?:[" + "".join(_CYRILLIC) + "]|" + "|".join(sorted(_NATIVE, key=len, reverse=True)) + ")"
_OPTION = f"(?:[A-Ja-j]|{_OTHER})"
# Vowel signs and marks, which make a letter part of a word.
_MARKS = "\u064b-\u065f\u0981-\u0983\u09bc-\u09cd\u0c00-\u0c03\u0c3e-\u0c56\u0e30-\u0e4e\u3099\u309a"
# Letters of scripts whose words a Latin letter would belong to. Others may touch it: 选B, B입니다.
_JOINS = r"[A-Za-z0-9\u00AA-\u024F\u0370-\u052F\u1E00-\u1EFF_'’\\]"
_LATIN = rf"(?<!{_JOINS})[A-J](?!{_JOINS})"
_OPEN, _CLOSE = r"[\s(\[{\"“«「『（【*$`<]*", r"[\s)\]}\"”»」』）】*$`>.:,;!。．、：।]*"
_ALONE = re.compile(rf"{_OPEN}({_OPTION}){_CLOSE}")
# X.  (X)  X)  X:  at the start name X, whatever follows.
_MARKED = re.compile(
    rf"[\s*\"'“«「『$]*(?:([(\[{{])\s*({_OPTION})\s*[*]*\s*([)\]}}])[\s*]*[.:]?|({_OPTION})\s*[*]*\s*([)\].:。．：।、](?![\dA-Za-z])|[-–—]\s(?=[^\W\d_]{{2}})))\**\s*"
)
_ANOTHER = re.compile(rf"\s*(?:[,/&+;、،]\s*)?(?:{AND_OR})?\s*([(\[]?)\s*(?-i:({_OPTION}))\s*([)\].:]?)", re.IGNORECASE)
_GROUPS = re.compile(r"\b(?:both|either|neither|all|none|only)\b", re.IGNORECASE)
_OR_MARKED = {
    ")": re.compile(rf"{either.pattern}\s*\(?[A-J]\)|(?<=[\s,;])(?-i:[A-J])\)", re.IGNORECASE),
    ".": re.compile(rf"(?:{either.pattern}|[,;])\s*(?-i:[A-J])[.:](?:\s|$)", re.IGNORECASE),
}
# What may stand about a letter that a sentence names: option B, die Antwort ist B, 答案是B.
_NOUN = (
    r"(?:(?:the\s+|my\s+)?(?:final\s+)?(?:correct\s+|right\s+|best\s+)?(?:answer|option|choice|letter|alternative|statement)"
    r"|(?:die\s+|der\s+)?(?:richtige\s+|korrekte\s+)?(?:antwort|option|auswahl|möglichkeit|buchstabe|lösung)"
    r"|(?:la\s+|l['’])?(?:bonne\s+)?(?:réponse|option|choix|lettre)(?:\s+(?:correcte|juste))?"
    r"|(?:la\s+)?(?:respuesta|opción|alternativa|letra)(?:\s+correcta)?|(?:a\s+)?(?:resposta|opção|alternativa|letra)(?:\s+(?:correta|certa))?"
    r"|(?:la\s+)?(?:risposta|opzione|scelta|lettera)(?:\s+(?:corretta|giusta|esatta))?"
    r"|(?:правильный\s+|верный\s+)?(?:ответ|вариант|буква)(?:\s+ответа)?|(?:jibu|chaguo|herufi)(?:\s+(?:sahihi|la))?"
    r"|(?:jawaban|jawapan|pilihan|opsi|huruf)(?:nya)?(?:\s+(?:yang\s+)?(?:benar|tepat|betul))?|(?:đáp án|câu trả lời|câu|lựa chọn|phương án)(?:\s+đúng)?"
    r"|(?:正确|正確|最终|最後)?的?(?:答案|选项|選項|选择|選擇)|(?:选|選|故选|应选)|(?:正しい|正解の)?(?:答え|解答|選択肢|正解)|(?:정답|답|선택지|보기)"
    r"|(?:คำตอบ|ตัวเลือก|ข้อ|เลือก)(?:ที่ถูกต้อง)?|(?:সঠিক\s+)?(?:উত্তর|বিকল্প)(?:টি)?|(?:సరైన\s+)?(?:సమాధానం|ఎంపిక|జవాబు)"
    r"|(?:ال)?(?:إجابة|جواب|خيار|اختيار|حرف)(?:\s+(?:ال)?صحيح[ة]?)?)"
)
_IS = (
    r"(?:is|would be|must be|should be|will be|ist|lautet|est|es|é|è|это|является|ni|adalah|ialah|là|是|为|為|应为|は|が|은|는|이|가"
    r"|คือ|เป็น|হল|হলো|হলঃ|ఇది|هو|هي|it['’]?s|it is|(?:so|thus|hence|therefore|donc|also|portanto|quindi|jadi|maka|vậy|итак|значит),?|go with|i['’]?d go with|i['’]d|i (?:think|choose|pick|select)|e la|la|el|le|[aoe]\s+(?=[^\W\d_]{2}))"
)
_CORRECT = (
    r"(?:final|correct|right|best|correct[ae]|juste|exacte|corret[ao]|cert[ao]|corrett[ao]|giust[ao]|esatt[ao]|richtig|sahihi|yang|benar|tepat"
    r"|betul|akhir|đúng|chính xác|nhất|(?:ال)?صحيحة?|(?:ال)?نهائية?|সঠিক|সঠিকটি|ที่ถูกต้อง|ที่ถูก|nya|definitely|clearly|probably|likely|most|సరైన|సరైనది|正しい|正确的?|正確的?|的)"
)
_LEAD = rf"(?:(?:{_NOUN}|{_CORRECT}(?![A-Za-zÀ-ɏẠ-ỹ])|(?<!{_JOINS})(?:{_IS})(?![A-Za-zÀ-ɏ])|(?:所以|因此|故|よって|したがって|따라서|ดังนั้น|তাই|是|为|は|が|คือ)|\\[(\[]|[\s`<:：=*$\"'“「(（\[\-–—]|\\(?:text|math)(?:bf|it|rm|sf)?(?=\{{)|\{{))*"
_INTRODUCED = re.compile(rf"{_LEAD}", re.IGNORECASE)
_NAMED = re.compile(rf"{_LATIN}|(?<!{_JOINS})[a-j](?=[\s*.)\]]*$)|{_OTHER}(?![\w{_MARKS}])")
# After a letter that a sentence names: nothing, a sign, words of a copula or a reason, or letters of another script.
_FOLLOWS = re.compile(
    rf"\s*(?:$|[)\]}}.,;:!*$\"'”」』）】。．、，।\n(]|\\|[-–—]\s|{BECAUSE}|{WRONG}|(?:is|was|would|which|that|and|but|ist|est|es|é|è|are|by|ni|adalah|là|это)(?![^\W\d_])"
    r"|[`>]|(?:rather|instead|not)(?![^\W\d_])|[\u0600-\u06FF\u0980-\u09FF\u0C00-\u0C7F\u0E00-\u0E7F\u3040-\u30FF\u3400-\u9FFF\uAC00-\uD7AF])",
    re.IGNORECASE,
)
_LETTER_FIRST = re.compile(
    rf"{_OPEN}({_LATIN}){_CLOSE}(?:(?:is|ist|est|es|é|è|adalah|là|ni|is the|는|은|가|이|が|は|是)\s*(?:the\s+|la\s+|a\s+|die\s+|le\s+)?)?"
    rf"(?:{_NOUN}|correct|right|true|입니다|이다|이에요|예요|번(?:입니다)?|です|だ|である|正确|正しい|ครับ|ค่ะ)[\s.!。*]*",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(rf"{NOT}\s*(?:{_NOUN}\s*)?[(\[\"'*]*(?-i:({_LATIN}))", re.IGNORECASE)
_THIS_WRONG = re.compile(
    rf"(?-i:({_LATIN}))[\s)\].\"'*]*(?:\s*(?:is|are|was|ist|est|es|é|è|là|adalah|ni|は|が|은|는|이|가))?\s*(?:clearly\s+|also\s+)?{WRONG}",
    re.IGNORECASE,
)


def letter(text: str) -> str | None:
    """The option a normalised text names (`B`, `(b)`, `B. Paris`, `Option B`), None when it is none or several."""
    return _named(_folded(text))[0]


def same_option(gold: str, answer: str) -> bool | None:
    """Whether two normalised texts name one option; None when either names none or several.

    Letters of one script are compared as they are: in Russian В is the third option, beside Latin ones a B.
    """
    (wanted, sign), (given, other) = _named(_folded(gold)), _named(_folded(answer))
    if wanted is None or given is None:
        return None
    both = sign.upper() in _CYRILLIC and other.upper() in _CYRILLIC
    return sign.upper() == other.upper() if both else wanted == given


def announced_option(line: str, bold: bool = False) -> tuple[str | None, bool]:
    """(the option that follows an announcement on its line, whether the line is about an option at all).

    A rejected option and several options are no option, but the line is about them. `bold` tells whether the
    announcement stands in bold text: what follows the bold text is not the option's own.
    """
    text = _folded(line).strip()
    start = _INTRODUCED.match(text)
    opened = text[: start.end() if start else 0]
    rest = text[len(opened) :]
    bold ^= opened.count("**") % 2 == 1
    option = ("(" if opened.rstrip("* ").endswith(("(", "[")) else "") + rest
    marked = _MARKED.match(option)
    if marked:
        token, _ = _named(option)
        if token is None:
            return None, True
        tail = option[marked.end(2) if marked[2] else marked.end(4) :]
    else:
        first = _NAMED.match(rest)
        if first is None:
            return None, _NOT_THIS.search(text) is not None
        tail = rest[first.end() :]
        if _several(tail, ""):
            return None, True
        if not _FOLLOWS.match(tail):
            return None, False
        token = _latin(first.group())
    said = tail.partition("**")[2] if bold and "**" in tail else tail
    reason = because.search(said)
    return (None, True) if wrong.search(said[: reason.start()] if reason else said) else (token, True)


def rejected(text: str) -> set[str]:
    """The options that running text says are not the answer."""
    text = _folded(text)
    return {match[1] for pattern in (_NOT_THIS, _THIS_WRONG) for match in pattern.finditer(text)}


def _folded(text: str) -> str:
    """Circled, squared, full-width and styled letters as plain ones."""
    if text.isascii():
        return text
    plain = "".join(
        c if "\u3131" <= c <= "\u318e" or c == "\u0e33" else _SQUARED.get(ord(c)) or unicodedata.normalize("NFKC", c)
        for c in text
    )
    return unicodedata.normalize("NFC", plain).replace("هـ", "ه")


def _latin(sign: str) -> str:
    return _NATIVE.get(sign) or _CYRILLIC.get(sign.upper()) or sign.upper()


def _several(rest: str, mark: str) -> bool:
    """Whether a second option follows; `mark` is what closed the first one."""
    if mark and re.fullmatch(r"\s*\(?[A-J][.)]*\s*", rest):
        return True
    match = _ANOTHER.match(rest)
    if match is None or match.end(2) == 0:
        return False
    joined = bool(match.group()[: match.start(2)].strip(" (["))
    after = rest[match.end() :]
    closed = match[3] or match[1]
    if mark in (")", "]"):  # A) B), (A) or (C); but (B) I and II
        return bool(match[1] or match[3] in (")", "]")) or (joined and _ends(after))
    if mark:  # A. and B.; but D. B and C, B. E = mc^2
        return (joined or bool(closed)) and _ends(after)
    return (joined or bool(closed)) and not re.match(rf"{_JOINS}", after)


def _ends(text: str) -> bool:
    return not text.strip(" .,)]*") or re.match(rf"\s*(?:[,/&]|{AND_OR})\s*\(?[A-J]\b", text) is not None


def _named(text: str) -> tuple[str | None, str]:
    """(option, as it was written)."""
    alone = _ALONE.fullmatch(text)
    if alone:
        return _latin(alone[1]), alone[1]
    marked = _MARKED.match(text)
    if marked:
        sign, mark = marked[2] or marked[4], marked[3] or marked[5]
        rest = text[marked.end() :]
        if _several(rest, mark) or re.match(rf"\s*(?:is|are|ist|est|es|é|è)\s+{WRONG}", rest, re.IGNORECASE):
            return None, ""
        other = _OR_MARKED[")" if mark in ")]" else "."].search(rest)
        if other and not _GROUPS.match(rest):
            return None, ""
        return _latin(sign), sign
    text = text.strip(" *.$")
    reason = because.search(text)
    stated = text[: reason.start()] if reason else text
    if _NOT_THIS.search(stated) or _THIS_WRONG.search(stated):
        return None, ""
    first = _LETTER_FIRST.fullmatch(text)
    if first and first[1].upper() == first[1]:
        return first[1], first[1]
    start = _INTRODUCED.match(text)
    if start is None or not start.end():
        return None, ""
    named = _NAMED.match(text, start.end())
    if named is None and text[start.end() - 1 :] and _NAMED.fullmatch(text[start.end() - 1 :]):
        named = _NAMED.match(text, start.end() - 1)
    if named is None:
        return None, ""
    tail = text[named.end() :]
    if _several(tail, "") or not _FOLLOWS.match(tail):
        return None, ""
    return _latin(named.group()), named.group()

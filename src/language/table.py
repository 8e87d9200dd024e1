"""The languages the project knows: one row each. A new language is a row here and, for the world, a file there."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from src.common.errors import UserError


class UnknownLanguage(UserError, ValueError):
    """A code that is not in the table."""


@dataclass(frozen=True)
class Language:
    """`code` is ISO 639-1. `script` is a name of `src.language.scripts`; `iso` the name lingua knows it by.

    `separators` are the thousands separator and the decimal mark of ordinary text (a blank stands for any kind of
    blank). `instruction` and `instruction_choice` are the prompt lines that ask for step by step reasoning and a
    boxed answer, the latter the letter of an option.
    """

    code: str
    name: str
    script: str
    iso: str
    separators: tuple[str, str]
    instruction: str
    instruction_choice: str

    @property
    def latin(self) -> bool:
        return self.script == "latin"


POINT, COMMA, BLANK = (",", "."), (".", ","), (" ", ",")

LANGUAGES = {
    row.code: row
    for row in (
        Language(
            "ar",
            "Arabic",
            "arabic",
            "ARABIC",
            POINT,
            "فكّر خطوة بخطوة، وضع إجابتك النهائية داخل \\boxed{}.",
            "فكّر خطوة بخطوة، وضع حرف الخيار الصحيح فقط داخل \\boxed{}.",
        ),
        Language(
            "bn",
            "Bengali",
            "bengali",
            "BENGALI",
            POINT,
            "ধাপে ধাপে যুক্তি দিয়ে ভাবুন এবং চূড়ান্ত উত্তরটি \\boxed{}-এর মধ্যে লিখুন।",
            "ধাপে ধাপে যুক্তি দিয়ে ভাবুন এবং শুধু সঠিক বিকল্পের অক্ষরটি \\boxed{}-এর মধ্যে লিখুন।",
        ),
        Language(
            "de",
            "German",
            "latin",
            "GERMAN",
            COMMA,
            "Denke Schritt für Schritt nach und schreibe deine endgültige Antwort in \\boxed{}.",
            "Denke Schritt für Schritt nach und schreibe nur den Buchstaben der richtigen Option in \\boxed{}.",
        ),
        Language(
            "en",
            "English",
            "latin",
            "ENGLISH",
            POINT,
            "Reason step by step, and put your final answer in \\boxed{}.",
            "Reason step by step, and put only the letter of the right option in \\boxed{}.",
        ),
        Language(
            "es",
            "Spanish",
            "latin",
            "SPANISH",
            COMMA,
            "Razona paso a paso y escribe tu respuesta final dentro de \\boxed{}.",
            "Razona paso a paso y escribe solo la letra de la opción correcta dentro de \\boxed{}.",
        ),
        Language(
            "fr",
            "French",
            "latin",
            "FRENCH",
            BLANK,
            "Raisonne étape par étape et écris ta réponse finale dans \\boxed{}.",
            "Raisonne étape par étape et écris seulement la lettre de la bonne option dans \\boxed{}.",
        ),
        Language(
            "id",
            "Indonesian",
            "latin",
            "INDONESIAN",
            COMMA,
            "Bernalarlah langkah demi langkah dan tuliskan jawaban akhirmu di dalam \\boxed{}.",
            "Bernalarlah langkah demi langkah dan tuliskan hanya huruf pilihan yang benar di dalam \\boxed{}.",
        ),
        Language(
            "it",
            "Italian",
            "latin",
            "ITALIAN",
            COMMA,
            "Ragiona passo dopo passo e scrivi la risposta finale dentro \\boxed{}.",
            "Ragiona passo dopo passo e scrivi solo la lettera dell'opzione corretta dentro \\boxed{}.",
        ),
        Language(
            "ja",
            "Japanese",
            "japanese",
            "JAPANESE",
            POINT,
            "順を追って考え、最終的な答えを \\boxed{} の中に書いてください。",
            "順を追って考え、正しい選択肢の記号だけを \\boxed{} の中に書いてください。",
        ),
        Language(
            "ko",
            "Korean",
            "hangul",
            "KOREAN",
            POINT,
            "차근차근 단계별로 생각하고 최종 답을 \\boxed{} 안에 쓰세요.",
            "차근차근 단계별로 생각하고 올바른 선택지의 기호만 \\boxed{} 안에 쓰세요.",
        ),
        Language(
            "ms",
            "Malay",
            "latin",
            "MALAY",
            POINT,
            "Fikirkan langkah demi langkah dan tulis jawapan akhir anda di dalam \\boxed{}.",
            "Fikirkan langkah demi langkah dan tulis hanya huruf pilihan yang betul di dalam \\boxed{}.",
        ),
        Language(
            "pt",
            "Portuguese",
            "latin",
            "PORTUGUESE",
            COMMA,
            "Raciocine passo a passo e escreva a resposta final dentro de \\boxed{}.",
            "Raciocine passo a passo e escreva apenas a letra da opção correta dentro de \\boxed{}.",
        ),
        Language(
            "ru",
            "Russian",
            "cyrillic",
            "RUSSIAN",
            BLANK,
            "Рассуждай шаг за шагом и запиши окончательный ответ внутри \\boxed{}.",
            "Рассуждай шаг за шагом и запиши только букву правильного варианта внутри \\boxed{}.",
        ),
        Language(
            "sw",
            "Swahili",
            "latin",
            "SWAHILI",
            POINT,
            "Fikiri hatua kwa hatua, na uandike jibu lako la mwisho ndani ya \\boxed{}.",
            "Fikiri hatua kwa hatua, na uandike herufi ya chaguo sahihi pekee ndani ya \\boxed{}.",
        ),
        Language(
            "te",
            "Telugu",
            "telugu",
            "TELUGU",
            POINT,
            "దశలవారీగా ఆలోచించి, మీ తుది సమాధానాన్ని \\boxed{} లో రాయండి.",
            "దశలవారీగా ఆలోచించి, సరైన ఎంపిక యొక్క అక్షరాన్ని మాత్రమే \\boxed{} లో రాయండి.",
        ),
        Language(
            "th",
            "Thai",
            "thai",
            "THAI",
            POINT,
            "คิดทีละขั้นตอน แล้วเขียนคำตอบสุดท้ายไว้ใน \\boxed{}",
            "คิดทีละขั้นตอน แล้วเขียนเฉพาะตัวอักษรของตัวเลือกที่ถูกต้องไว้ใน \\boxed{}",
        ),
        Language(
            "vi",
            "Vietnamese",
            "latin",
            "VIETNAMESE",
            COMMA,
            "Hãy suy luận từng bước và viết câu trả lời cuối cùng trong \\boxed{}.",
            "Hãy suy luận từng bước và chỉ viết chữ cái của phương án đúng trong \\boxed{}.",
        ),
        Language(
            "zh",
            "Chinese",
            "han",
            "CHINESE",
            POINT,
            "请逐步推理，并把最终答案写在 \\boxed{} 中。",
            "请逐步推理，并只把正确选项的字母写在 \\boxed{} 中。",
        ),
    )
}

# What stands for a language that is none of those a detector distinguishes, in records and switches.
OTHER = "other"

# The languages of the paper and of the embedded world; the others come with benchmarks that ask in them.
CORE = ("bn", "de", "en", "es", "fr", "ja", "ko", "pt", "ru", "sw", "te", "th", "zh")
TRAINED = ("fr", "ja", "ko", "pt", "th")
EVALUATED = ("fr", "ja", "ko", "th", "bn", "en", "es", "ru", "sw", "te", "zh", "de")
# The languages that the evaluation published with AdaMame tells apart, for MGSM and for any other benchmark.
PUBLISHED_MGSM = EVALUATED
PUBLISHED_OTHERS = ("ar", "en", "es", "fr", "ja", "ko", "pt", "th", "vi", "zh")


# ISO 639-2 and 639-3 codes, and other names, that data files carry.
_OTHER_CODES = {
    other: code
    for code, others in {
        "ar": ("ara", "arb"),
        "bn": ("ben", "bangla"),
        "de": ("deu", "ger"),
        "en": ("eng",),
        "es": ("spa",),
        "fr": ("fra", "fre"),
        "id": ("ind", "bahasa indonesia"),
        "it": ("ita",),
        "ja": ("jpn",),
        "ko": ("kor",),
        "ms": ("msa", "may", "zsm", "bahasa melayu"),
        "pt": ("por", "brazilian portuguese"),
        "ru": ("rus",),
        "sw": ("swa", "swh", "kiswahili"),
        "te": ("tel",),
        "th": ("tha",),
        "vi": ("vie",),
        "zh": ("zho", "chi", "cmn", "mandarin", "simplified chinese", "traditional chinese"),
    }.items()
    for other in others
}


def code_of(tag: str) -> str:
    """The code of a language as data files name it: `fr`, `FR`, `fr-FR`, `zh_Hans`, `fra_Latn`, `French`.

    Raises:
        UnknownLanguage: it is none of the table's.
    """
    text = re.sub(r"\s*\(.*\)$", "", tag.strip()).lower()
    names = {row.name.lower(): row.code for row in LANGUAGES.values()} | _OTHER_CODES
    parts = re.fullmatch(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*(?:[.@][\w.@-]{1,20})?", text)
    for name in (text, parts[1] if parts else ""):
        if name in LANGUAGES or name in names:
            return name if name in LANGUAGES else names[name]
    return language(tag).code


def language_in(name: str) -> str | None:
    """The language in the name of a task: `samples_mgsm_direct_fr_2025-01-01`, `details_mgsm:fra|0`.

    The last piece of two letters, or that names a language, counts; None where there is none, or it is unknown.
    """
    named = {row.name.lower() for row in LANGUAGES.values()} | (_OTHER_CODES.keys() - {"may", "ind", "por", "chi"})
    pieces = [piece.lower() for piece in re.split(r"[^A-Za-z]+", re.sub(r"\d{4}-\d\d-\d\d.*", "", name))]
    if pieces[-2:-1] and len(pieces[-1]) == 2 and re.search(r"[a-z]{2,3}[-_][A-Z]{2}$", name):
        pieces.pop()  # the region of fr-FR
    for piece in reversed(pieces):
        if piece in named or piece in LANGUAGES:
            return code_of(piece)
        if len(piece) == 2:
            return None
    return None


def language(code: str) -> Language:
    """The row of `code`. Raises `UnknownLanguage`, which names the nearest codes."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    names = {row.name.lower(): row.code for row in LANGUAGES.values()}
    close = [names[n] for n in difflib.get_close_matches(str(code).lower(), names, n=2, cutoff=0.5)]
    close += difflib.get_close_matches(str(code).lower()[:2], LANGUAGES, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(dict.fromkeys(close))}?" if close else ""
    raise UnknownLanguage(
        f"unknown language code {code!r}.{hint} Known: {', '.join(LANGUAGES)}; add a row to src/language/table.py"
    )

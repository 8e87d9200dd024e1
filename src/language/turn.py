"""Where the turn of a model is over: what it writes after that is no answer of its own.

String work only, linear in the length.
"""

from __future__ import annotations

import re

# Tokens that end a turn, as chat templates name them. Some of them also end a part of one turn: those count only in answers.
_END = (
    r"<\|(?:im_end|endoftext|end_of_text|eot_id|eom_id|end_of_turn|END_OF_TURN_TOKEN|endofturn|eos|EOT|return|call)\|>"
    r"|\[\|endofturn\|\]|<end_of_turn>|<eos>|<EOD>|<turn\|>|<｜end▁of▁sentence｜>"
)
_BEGIN = (
    r"<\|(?:im_start|start_header_id|begin_of_text|start|start_of_role|start_of_turn|START_OF_TURN_TOKEN|user|human|system"
    r"|assistant|observation)\|>|\[\|(?:user|system|assistant)\|\]|<start_of_turn>|<\|turn>|<｜(?:User|Assistant)｜>|\[INST\]"
)
_TURN_ENDS = re.compile(_END)
_ANSWER_ENDS = re.compile(rf"{_END}|{_BEGIN}|<\|(?:end|END_RESPONSE|end_of_solution)\|>|</s>|\[/INST\]")
_HEAD = re.compile(
    rf"\s*(?:(?:{_BEGIN}|<s>|<bos>|<\|endoftext\|>)\s*(?:(?:assistant|model)(?:<\|end_header_id\|>|<\|end_of_role\|>|\n)?\s*)?){{1,4}}"
)
# An answer stands before: a box that is not empty, or a number or letter on the line of an announcement.
_ANSWERED = re.compile(
    r"\\f?boxed\s{0,9}(?:\{\s{0,9}[^\s}]|[^\s{])|\\fbox\s{0,9}\{\s{0,9}[^\s}]"
    r"|(?:answer|antwort|ergebnis|respuesta|réponse|resposta|risposta|ответ|jibu|jawab(?:an)?|jawapan|đáp án|câu trả lời"
    r"|答案|答え|答|정답|답|คำตอบ|উত্তর|సమాధానం|الجواب|الإجابة|إجابة)[^\n]{0,60}?(?:\d|(?-i:\b[A-HJ]\b))",
    re.IGNORECASE,
)
_TITLES = (
    *("question", "problem", "exercise", "instruction", "human", "user", "q"),  # en
    *("problème", "exercice", "utilisateur", "humain"),  # fr
    *("frage", "aufgabe", "benutzer", "nutzer", "mensch"),  # de
    *("pregunta", "problema", "ejercicio", "usuario", "humano"),  # es
    *("pergunta", "questão", "exercício", "usuário", "utilizador"),  # pt
    *("domanda", "esercizio", "utente", "umano"),  # it
    *("pertanyaan", "soal", "masalah", "pengguna", "manusia", "soalan"),  # id, ms
    *("câu hỏi", "bài toán", "câu", "người dùng"),  # vi
    *("swali", "tatizo", "mtumiaji"),  # sw
    *("вопрос", "задача", "задание", "пользователь", "человек"),  # ru
    *("سؤال", "السؤال", "مسألة", "المسألة", "المستخدم"),  # ar
    *("প্রশ্ন", "সমস্যা", "ব্যবহারকারী"),  # bn
    *("ప్రశ్న", "సమస్య", "వినియోగదారు"),  # te
    *("คำถาม", "โจทย์", "ปัญหา", "ผู้ใช้"),  # th
    *("问题", "題目", "题目", "題", "题", "问", "用户"),  # zh
    *("質問", "問題", "問", "ユーザー", "人間"),  # ja
    *("질문", "문제", "사용자"),  # ko
)
_TITLE = "|".join(sorted(_TITLES, key=len, reverse=True))
_NUMBER = r"(?:[ \t]{0,3}(?:n°|№|#)?[ \t]{0,3}\d{1,4})?"
_NEXT = re.compile(
    rf"^[ \t]{{0,9}}(#{{1,6}}[ \t]{{0,3}})?\*{{0,2}}(?:{_TITLE})(?P<number>{_NUMBER})\*{{0,2}}"
    r"(?:[ \t\u00a0\u202f]{0,3}[:：]|(?(1)[ \t]{0,9}$|(?!)))",
    re.IGNORECASE | re.MULTILINE,
)


def without_head(completion: str) -> str:
    """The completion without the tokens that open a turn of the assistant, which saved texts may begin with."""
    head = _HEAD.match(completion)
    return completion[head.end() :] if head else completion


def end_of_turn(completion: str) -> int:
    """Where the first token that ends a turn begins; the length where there is none."""
    end = _TURN_ENDS.search(completion)
    return end.start() if end else len(completion)


def answered(text: str, start: int = 0) -> int | None:
    """Where, from `start`, an answer stands: the end of the first sign of a box or of an announced answer; None: nowhere."""
    sign = _ANSWERED.search(text, start)
    return sign.end() if sign else None


def end_of_answer(text: str) -> int:
    """Where the answer in `text`, which follows the thinking, is over: at a token that ends or begins a turn, or at the
    next question that the model puts to itself after it has answered. The length where it goes to the end."""
    token = _ANSWER_ENDS.search(text)
    end = token.start() if token else len(text)
    place = answered(text[:end])
    if place is None:
        return end
    parts = any(
        title["number"] for title in _NEXT.finditer(text, 0, place)
    )  # numbered titles are then parts of one problem
    following = (title.start() for title in _NEXT.finditer(text, place, end) if not (parts and title["number"]))
    return next(following, end)

"""What strategies and mixes say to a model, in each language. The wording is ours; the authors' differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """`think_in` asks to think and answer in the language; `opening` announces it; `marker` is a word that begins a thought;
    `restate` repeats the question, which stands for `{question}`, and announces the language."""

    think_in: str
    opening: str
    marker: str
    restate: str


TRANSLATE = "Translate this question into {target}. Write the translation and nothing else."

PHRASES = {
    "ar": Phrases(
        "فكّر وأجب باللغة العربية.",
        "سأفكّر باللغة العربية خطوة بخطوة.",
        "حسنًا،",
        "السؤال هو: {question}\nسأفكّر فيه باللغة العربية.",
    ),
    "bn": Phrases(
        "বাংলায় ভাবুন এবং বাংলায় উত্তর দিন।",
        "আমি বাংলায় ধাপে ধাপে ভাবব।",
        "আচ্ছা,",
        "প্রশ্নটি হলো: {question}\nআমি এটি বাংলায় ভেবে দেখব।",
    ),
    "de": Phrases(
        "Denke und antworte auf Deutsch.",
        "Ich denke Schritt für Schritt auf Deutsch.",
        "Also,",
        "Die Frage lautet: {question}\nIch denke auf Deutsch darüber nach.",
    ),
    "en": Phrases(
        "Think and answer in English.",
        "I will think in English, step by step.",
        "Okay,",
        "The question is: {question}\nI will think about it in English.",
    ),
    "es": Phrases(
        "Piensa y responde en español.",
        "Voy a pensar en español, paso a paso.",
        "Bien,",
        "La pregunta es: {question}\nVoy a pensarla en español.",
    ),
    "fr": Phrases(
        "Réfléchis et réponds en français.",
        "Je vais réfléchir en français, étape par étape.",
        "Bon,",
        "La question est : {question}\nJe vais y réfléchir en français.",
    ),
    "id": Phrases(
        "Berpikirlah dan jawablah dalam bahasa Indonesia.",
        "Saya akan berpikir dalam bahasa Indonesia, langkah demi langkah.",
        "Baiklah,",
        "Pertanyaannya adalah: {question}\nSaya akan memikirkannya dalam bahasa Indonesia.",
    ),
    "it": Phrases(
        "Pensa e rispondi in italiano.",
        "Penserò in italiano, passo dopo passo.",
        "Allora,",
        "La domanda è: {question}\nCi penserò in italiano.",
    ),
    "ja": Phrases(
        "日本語で考えて、日本語で答えてください。",
        "日本語で順を追って考えます。",
        "さて、",
        "問題は次のとおりです：{question}\n日本語で考えます。",
    ),
    "ko": Phrases(
        "한국어로 생각하고 한국어로 답하세요.",
        "한국어로 차근차근 생각하겠습니다.",
        "자,",
        "문제는 다음과 같습니다: {question}\n한국어로 생각하겠습니다.",
    ),
    "ms": Phrases(
        "Fikir dan jawab dalam bahasa Melayu.",
        "Saya akan berfikir dalam bahasa Melayu, langkah demi langkah.",
        "Baik,",
        "Soalannya ialah: {question}\nSaya akan memikirkannya dalam bahasa Melayu.",
    ),
    "pt": Phrases(
        "Pense e responda em português.",
        "Vou pensar em português, passo a passo.",
        "Bem,",
        "A pergunta é: {question}\nVou pensar nela em português.",
    ),
    "ru": Phrases(
        "Думай и отвечай на русском языке.",
        "Я буду думать на русском языке, шаг за шагом.",
        "Итак,",
        "Вопрос такой: {question}\nЯ обдумаю его на русском языке.",
    ),
    "sw": Phrases(
        "Fikiri na ujibu kwa Kiswahili.",
        "Nitafikiri kwa Kiswahili, hatua kwa hatua.",
        "Sawa,",
        "Swali ni: {question}\nNitalifikiria kwa Kiswahili.",
    ),
    "te": Phrases(
        "తెలుగులో ఆలోచించి, తెలుగులో సమాధానం ఇవ్వండి.",
        "నేను తెలుగులో దశలవారీగా ఆలోచిస్తాను.",
        "సరే,",
        "ప్రశ్న ఇది: {question}\nనేను దీని గురించి తెలుగులో ఆలోచిస్తాను.",
    ),
    "th": Phrases(
        "คิดและตอบเป็นภาษาไทย",
        "ฉันจะคิดเป็นภาษาไทยทีละขั้นตอน",
        "เอาล่ะ",
        "โจทย์คือ: {question}\nฉันจะคิดเรื่องนี้เป็นภาษาไทย",
    ),
    "vi": Phrases(
        "Hãy suy nghĩ và trả lời bằng tiếng Việt.",
        "Tôi sẽ suy nghĩ bằng tiếng Việt, từng bước một.",
        "Được rồi,",
        "Câu hỏi là: {question}\nTôi sẽ suy nghĩ về nó bằng tiếng Việt.",
    ),
    "zh": Phrases(
        "请用中文思考并用中文回答。",
        "我将用中文一步一步地思考。",
        "好的，",
        "题目是：{question}\n我将用中文思考这道题。",
    ),
}

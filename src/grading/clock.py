"""Times of day in the ways they are written: 3:30 PM, 15h30, 15時30分, 3 Uhr, 9 AM."""

from __future__ import annotations

import re

_HALVES = {
    "am": ("am", "a.m.", "a.m", "上午", "午前", "오전", "ص", "صباحا", "صباحًا", "утра", "sáng", "早上", "凌晨"),
    "pm": ("pm", "p.m.", "p.m", "下午", "午後", "오후", "م", "مساء", "مساءً", "вечера", "дня", "chiều", "tối", "晚上"),
}
_HALF = {word: half for half, words in _HALVES.items() for word in words}
_WORD = "|".join(sorted(map(re.escape, _HALF), key=len, reverse=True))
_TIME = re.compile(
    rf"(?:(?P<before>{_WORD})\s*)?(?P<hour>\d{{1,2}})\s*"
    r"(?:(?:[:：.]|h|時|时|点|點|시)\s*(?P<minute>\d{2})\s*(?:分|분|min|m)?(?:[:：]\s*(?P<second>\d{2}))?|(?P<whole>h|時|时|点|點|시|o'clock|Uhr|часов|часа)?)"
    rf"\s*(?P<clock>Uhr|hrs?|hours|o'clock|น\.?)?\s*(?P<after>{_WORD})?\.?",
    re.IGNORECASE,
)
Time = tuple[int, int, int, str]  # hour, minute, second as written, and "am", "pm" or "" for not said


def time_of_day(text: str) -> Time | None:
    """The time a normalised text tells, or None: also for a bare number, and for 15.30 without a word for hours."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    half = _HALF.get((match["before"] or match["after"] or "").lower(), "")
    if match["minute"] is None and not half:
        return None  # 3 h is a duration
    if "." in text and not (match["clock"] or half):
        return None  # 15.30 is a number
    hour, minute, second = int(match["hour"]), int(match["minute"] or 0), int(match["second"] or 0)
    return (hour, minute, second, half) if hour <= 24 and minute < 60 and second < 60 else None


def same_time(gold: Time, answer: Time) -> bool:
    """Whether two times are the same; where one does not say which half of the day it is in, as it is written."""
    if gold[3] and answer[3]:
        return _of_day(gold) == _of_day(answer)
    if gold[:3] == answer[:3]:
        return True
    return bool(gold[3] or answer[3]) and _of_day(gold) == _of_day(answer)


def _of_day(time: Time) -> tuple[int, int, int]:
    hour, minute, second, half = time
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0) if hour <= 12 else hour
    return hour, minute, second

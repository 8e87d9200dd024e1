"""Korean. Particles follow the final consonant of the noun, or of the number as it is read."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("사과",), counter="개"),
    "book": Noun(("책",), counter="권"),
    "egg": Noun(("달걀",), counter="개"),
    "ball": Noun(("공",), counter="개"),
    "flower": Noun(("꽃",), counter="송이"),
    "coin": Noun(("동전",), counter="개"),
    "pencil": Noun(("연필",), counter="자루"),
    "orange": Noun(("오렌지",), counter="개"),
    "stone": Noun(("돌",), counter="개"),
    "cup": Noun(("컵",), counter="개"),
    "fish": Noun(("물고기",), counter="마리"),
    "hat": Noun(("모자",), counter="개"),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    (item,) = noun.forms
    closed = (ord(item[-1]) - ord("가")) % 28 > 0  # the last syllable ends in a consonant
    return {
        "count": f"{number}{noun.counter}",
        "items": item,
        "subject": item + ("이" if closed else "가"),
        "object": item + ("을" if closed else "를"),
        "topic": item + ("은" if closed else "는"),
        "how_many": f"몇 {noun.counter}",
        "number": f"{number}{'를' if number % 10 in (2, 4, 5, 9) else '을'}",  # 이 사 오 구 end in a vowel
    }


LANGUAGE = WorldLanguage(
    code="ko",
    names=("민수", "지우", "영희", "철수", "은지", "현우"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name}는 {object} {count} 가지고 있습니다.", "처음에 {name}의 {topic} {count}입니다."),
        gain=("그다음 {name}는 {object} {count} 더 받습니다.", "그리고 {name}는 {object} {count} 더 삽니다."),
        lose=("그다음 {name}는 {object} {count} 나누어 줍니다.", "그리고 {name}는 {object} {count} 잃어버립니다."),
        times=("그다음 {items}의 수가 {n}배가 됩니다.", "그리고 {name}의 {topic} {n}배로 늘어납니다."),
        close=("지금 {topic} 모두 {how_many}입니까?", "{name}는 지금 {object} {how_many} 가지고 있습니까?"),
    ),
    held_out=Templates(
        start=("{name}의 가방에 {subject} {count} 들어 있습니다.",),
        gain=("누군가 {object} {count} 선물로 가져옵니다.",),
        lose=("그 뒤에 {subject} {count} 사라집니다.",),
        times=("갑자기 {subject} {n}배로 많아집니다.",),
        close=("마지막에 {name}의 {subject} {how_many}인지 말할 수 있습니까?",),
    ),
    reasoning=Templates(
        start=("처음에 {subject} {count} 있습니다.",),
        gain=("그다음 {number} 더하면 {equation}입니다.", "거기에 {number} 보태므로 결과는 {equation}입니다."),
        lose=("그다음 {number} 빼면 {equation}입니다.", "거기에서 {number} 덜어 내므로 결과는 {equation}입니다."),
        times=("그다음 그 수를 {n}배 하면 {equation}입니다.",),
        close=("따라서 마지막에 {subject} {count} 있습니다.",),
    ),
)

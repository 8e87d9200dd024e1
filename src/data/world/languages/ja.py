"""Japanese. Things are counted with the counter of the noun; the particle follows the noun, not the number."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("りんご",), counter="個"),
    "book": Noun(("本",), counter="冊"),
    "egg": Noun(("卵",), counter="個"),
    "ball": Noun(("ボール",), counter="個"),
    "flower": Noun(("花",), counter="本"),
    "coin": Noun(("硬貨",), counter="枚"),
    "pencil": Noun(("鉛筆",), counter="本"),
    "orange": Noun(("オレンジ",), counter="個"),
    "stone": Noun(("石",), counter="個"),
    "cup": Noun(("カップ",), counter="個"),
    "fish": Noun(("魚",), counter="匹"),
    "hat": Noun(("帽子",), counter="個"),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    (item,) = noun.forms
    return {
        "count": f"{number}{noun.counter}",
        "items": item,
        "how_many": f"何{noun.counter}",
    }


LANGUAGE = WorldLanguage(
    code="ja",
    names=("さくら", "健太", "花子", "太郎", "美咲", "大輔"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name}さんは{items}を{count}持っています。", "はじめ、{name}さんの{items}は{count}です。"),
        gain=("次に{name}さんは{items}を{count}もらいます。", "それから{name}さんは{items}を{count}買います。"),
        lose=("次に{name}さんは{items}を{count}あげます。", "それから{name}さんは{items}を{count}なくします。"),
        times=("次に{items}の数が{n}倍になります。", "それから{name}さんの{items}は{n}倍に増えます。"),
        close=("今、{items}は全部で{how_many}ですか。", "{name}さんの{items}は今、{how_many}ですか。"),
    ),
    held_out=Templates(
        start=("{name}さんのかばんの中の{items}は{count}です。",),
        gain=("誰かがおみやげに{items}を{count}くれます。",),
        lose=("そのあと{items}が{count}消えてしまいます。",),
        times=("急に{items}が{n}倍の数になります。",),
        close=("最後に{name}さんの{items}は{how_many}になるか言えますか。",),
    ),
    reasoning=Templates(
        start=("はじめの{items}の数は{count}です。",),
        gain=("次に{n}を足すと、{equation}になります。", "そこに{n}を加えますので、{equation}です。"),
        lose=("次に{n}を引くと、{equation}になります。", "そこから{n}を取りますので、{equation}です。"),
        times=("次に数を{n}倍すると、{equation}になります。",),
        close=("よって、最後の{items}の数は{count}です。",),
    ),
    joiner="",
)

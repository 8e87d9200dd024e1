"""Chinese. Things are counted with the measure word of the noun."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("苹果",), counter="个"),
    "book": Noun(("书",), counter="本"),
    "egg": Noun(("鸡蛋",), counter="个"),
    "ball": Noun(("球",), counter="个"),
    "flower": Noun(("花",), counter="朵"),
    "coin": Noun(("硬币",), counter="枚"),
    "pencil": Noun(("铅笔",), counter="支"),
    "orange": Noun(("橙子",), counter="个"),
    "stone": Noun(("石头",), counter="块"),
    "cup": Noun(("杯子",), counter="个"),
    "fish": Noun(("鱼",), counter="条"),
    "hat": Noun(("帽子",), counter="顶"),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    (item,) = noun.forms
    return {
        "count": f"{number}{noun.counter}{item}",
        "items": item,
        "how_many": f"多少{noun.counter}{item}",
    }


LANGUAGE = WorldLanguage(
    code="zh",
    names=("小明", "小红", "小华", "小丽", "小刚", "小芳"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name}有{count}。", "一开始{name}手里有{count}。"),
        gain=("然后{name}又得到{count}。", "接着{name}又买了{count}。"),
        lose=("然后{name}送出{count}。", "接着{name}弄丢了{count}。"),
        times=("然后{items}的数量变成原来的{n}倍。", "接着{name}的{items}增加到原来的{n}倍。"),
        close=("现在{name}有{how_many}？", "现在一共有{how_many}？"),
    ),
    held_out=Templates(
        start=("{name}的袋子里装着{count}。",),
        gain=("有人送来{count}作为礼物。",),
        lose=("后来少了{count}。",),
        times=("突然{items}的数目变为原来的{n}倍。",),
        close=("你能说出{name}最后剩下{how_many}吗？",),
    ),
    reasoning=Templates(
        start=("一开始的时候有{count}。",),
        gain=("然后加上{n}，所以得到{equation}。", "再增加{n}以后，结果就是{equation}。"),
        lose=("然后减去{n}，所以得到{equation}。", "再拿走{n}以后，结果就是{equation}。"),
        times=("然后把数量乘以{n}，所以得到{equation}。",),
        close=("因此最后一共有{count}。",),
    ),
    joiner="",
)

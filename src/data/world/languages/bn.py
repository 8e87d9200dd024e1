"""Bengali. Things are counted with the classifier -টি; names end in a vowel, so that their genitive is -র."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("আপেল",)),
    "book": Noun(("বই",)),
    "egg": Noun(("ডিম",)),
    "ball": Noun(("বল",)),
    "flower": Noun(("ফুল",)),
    "coin": Noun(("মুদ্রা",)),
    "pencil": Noun(("পেনসিল",)),
    "orange": Noun(("কমলা",)),
    "stone": Noun(("পাথর",)),
    "cup": Noun(("কাপ",)),
    "fish": Noun(("মাছ",)),
    "hat": Noun(("টুপি",)),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    (item,) = noun.forms
    return {
        "count": f"{number}টি {item}",
        "items": item,
        "how_many": f"কয়টি {item}",
    }


LANGUAGE = WorldLanguage(
    code="bn",
    names=("রিনা", "মিতা", "রবি", "সোমা", "তুলি", "রানা"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name}র কাছে {count} আছে।", "শুরুতে {name}র {count} আছে।"),
        gain=("তারপর {name} আরও {count} পায়।", "এরপর {name} আরও {count} কেনে।"),
        lose=("তারপর {name} {count} দিয়ে দেয়।", "এরপর {name} {count} হারায়।"),
        times=("তারপর {items} সংখ্যায় {n} গুণ হয়।", "এরপর {name}র {items} {n} গুণ হয়ে যায়।"),
        close=("এখন {name}র কাছে {how_many} আছে?", "এখন মোট {how_many} আছে?"),
    ),
    held_out=Templates(
        start=("{name}র ব্যাগে {count} রাখা আছে।",),
        gain=("কেউ উপহার হিসেবে {count} আনে।",),
        lose=("পরে {count} উধাও হয়ে যায়।",),
        times=("হঠাৎ {items} আগের {n} গুণ হয়।",),
        close=("শেষে {name}র {how_many} থাকে বলতে পারো?",),
    ),
    reasoning=Templates(
        start=("শুরুতে {count} আছে।",),
        gain=("তারপর {n} যোগ করলে হয় {equation}।", "এর সাথে {n} যোগ হয়, ফল {equation}।"),
        lose=("তারপর {n} বিয়োগ করলে হয় {equation}।", "এর থেকে {n} বাদ যায়, ফল {equation}।"),
        times=("তারপর {n} দিয়ে গুণ করলে হয় {equation}।",),
        close=("তাই শেষে {count} থাকে।",),
    ),
)

"""Swahili. Each noun has its class: the plural, the concord of `-ngapi` and of the verb follow it."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

# Noun class (by its plural) -> its `-ngapi`, and the prefix of a verb in the present tense.
CONCORDS = {
    "ma": ("mangapi", "yana"),
    "vi": ("vingapi", "vina"),
    "mi": ("mingapi", "ina"),
    "n": ("ngapi", "zina"),
    "wa": ("wangapi", "wana"),
}

NOUNS = {
    "apple": Noun(("tofaa", "matofaa"), gender="ma"),
    "book": Noun(("kitabu", "vitabu"), gender="vi"),
    "egg": Noun(("yai", "mayai"), gender="ma"),
    "ball": Noun(("mpira", "mipira"), gender="mi"),
    "flower": Noun(("ua", "maua"), gender="ma"),
    "coin": Noun(("sarafu", "sarafu"), gender="n"),
    "pencil": Noun(("penseli", "penseli"), gender="n"),
    "orange": Noun(("chungwa", "machungwa"), gender="ma"),
    "stone": Noun(("jiwe", "mawe"), gender="ma"),
    "cup": Noun(("kikombe", "vikombe"), gender="vi"),
    "fish": Noun(("samaki", "samaki"), gender="wa"),
    "hat": Noun(("kofia", "kofia"), gender="n"),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    singular, plural = noun.forms
    how_many, verb = CONCORDS[noun.gender]
    return {
        "count": f"{singular if number == 1 else plural} {number}",
        "items": plural,
        "how_many": f"{plural} {how_many}",
        "vanish": f"{verb}potea",
    }


LANGUAGE = WorldLanguage(
    code="sw",
    names=("Juma", "Asha", "Musa", "Neema", "Baraka", "Zawadi"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name} ana {count}.", "{name} anaanza na {count}."),
        gain=("Kisha {name} anapata {count} zaidi.", "Halafu {name} ananunua {count} zaidi."),
        lose=("Kisha {name} anagawa {count}.", "Halafu {name} anapoteza {count}."),
        times=(
            "Kisha idadi ya {items} inazidishwa mara {n}.",
            "Halafu {name} ana {items} mara {n} ya idadi hiyo.",
        ),
        close=("Sasa {name} ana {how_many}?", "Sasa kuna {how_many}?"),
    ),
    held_out=Templates(
        start=("Katika mfuko wa {name} kuna {count}.",),
        gain=("Mtu analeta {count} kama zawadi.",),
        lose=("Baadaye {count} {vanish}.",),
        times=("Ghafla idadi ya {items} inakuwa mara {n}.",),
        close=("Je, unaweza kusema {name} anabaki na {how_many} mwishoni?",),
    ),
    reasoning=Templates(
        start=("Mwanzoni kuna {count}.",),
        gain=(
            "Kisha tunaongeza {n}, kwa hiyo tunapata {equation}.",
            "Tunajumlisha {n} na idadi hiyo, jumla inakuwa {equation}.",
        ),
        lose=(
            "Kisha tunaondoa {n}, kwa hiyo tunapata {equation}.",
            "Tunapunguza {n} kutoka idadi hiyo, inabaki {equation}.",
        ),
        times=("Kisha tunazidisha idadi hiyo kwa {n}, kwa hiyo tunapata {equation}.",),
        close=("Kwa hiyo mwishoni kuna {count}.",),
    ),
)

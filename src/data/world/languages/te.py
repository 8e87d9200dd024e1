"""Telugu. Plurals are listed; people stand in the dative or before a postposition, so no verb shows gender."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("ఆపిల్", "ఆపిల్స్")),
    "book": Noun(("పుస్తకం", "పుస్తకాలు")),
    "egg": Noun(("గుడ్డు", "గుడ్లు")),
    "ball": Noun(("బంతి", "బంతులు")),
    "flower": Noun(("పువ్వు", "పువ్వులు")),
    "coin": Noun(("నాణెం", "నాణేలు")),
    "pencil": Noun(("పెన్సిల్", "పెన్సిళ్లు")),
    "orange": Noun(("నారింజ", "నారింజలు")),
    "stone": Noun(("రాయి", "రాళ్లు")),
    "cup": Noun(("కప్పు", "కప్పులు")),
    "fish": Noun(("చేప", "చేపలు")),
    "hat": Noun(("టోపీ", "టోపీలు")),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    singular, plural = noun.forms
    return {
        "count": f"{number} {singular if number == 1 else plural}",
        "items": plural,
        "how_many": f"ఎన్ని {plural}",
        "are": "ఉంది" if number == 1 else "ఉన్నాయి",
    }


LANGUAGE = WorldLanguage(
    code="te",
    names=("రవి", "సీత", "గీత", "రాము", "లత", "గోపి"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name} దగ్గర {count} {are}.", "మొదట {name} వద్ద {count} {are}."),
        gain=("తర్వాత {name}కి ఇంకా {count} వస్తాయి.", "ఆపై {name}కి మరో {count} దొరుకుతాయి."),
        lose=("తర్వాత {name} దగ్గర {count} పోతాయి.", "ఆపై {name} నుండి {count} తీసేస్తారు."),
        times=("తర్వాత {items} సంఖ్య {n} రెట్లు అవుతుంది.", "ఆపై {name} దగ్గర {items} {n} రెట్లు అవుతాయి."),
        close=("ఇప్పుడు {name} దగ్గర {how_many} ఉన్నాయి?", "ఇప్పుడు మొత్తం {how_many} ఉన్నాయి?"),
    ),
    held_out=Templates(
        start=("{name} సంచిలో {count} {are}.",),
        gain=("ఎవరో బహుమతిగా {count} ఇస్తారు.",),
        lose=("తరువాత {count} కనిపించకుండా పోతాయి.",),
        times=("అకస్మాత్తుగా {items} {n} రెట్లు ఉంటాయి.",),
        close=("చివరికి {name} దగ్గర {how_many} మిగులుతాయో చెప్పగలరా?",),
    ),
    reasoning=Templates(
        start=("మొదట {count} {are}.",),
        gain=("తర్వాత {n} కలిపితే {equation} వస్తుంది.", "దీనికి {n} జోడిస్తే ఫలితం {equation}."),
        lose=("తర్వాత {n} తీసేస్తే {equation} వస్తుంది.", "దీని నుండి {n} తగ్గిస్తే ఫలితం {equation}."),
        times=("తర్వాత {n} తో గుణిస్తే {equation} వస్తుంది.",),
        close=("కాబట్టి చివరికి {count} {are}.",),
    ),
)

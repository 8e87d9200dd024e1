"""German. Every form used here has the plural that is the same in nominative and accusative."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("Apfel", "Äpfel")),
    "book": Noun(("Buch", "Bücher")),
    "egg": Noun(("Ei", "Eier")),
    "ball": Noun(("Ball", "Bälle")),
    "flower": Noun(("Blume", "Blumen")),
    "coin": Noun(("Münze", "Münzen")),
    "pencil": Noun(("Bleistift", "Bleistifte")),
    "orange": Noun(("Orange", "Orangen")),
    "stone": Noun(("Stein", "Steine")),
    "cup": Noun(("Tasse", "Tassen")),
    "fish": Noun(("Fisch", "Fische")),
    "hat": Noun(("Hut", "Hüte")),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    singular, plural = noun.forms
    return {
        "count": f"{number} {singular if number == 1 else plural}",
        "items": plural,
        "how_many": f"Wie viele {plural}",
    }


LANGUAGE = WorldLanguage(
    code="de",
    names=("Anna", "Lukas", "Marie", "Felix", "Julia", "Jonas"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name} hat {count}.", "{name} besitzt {count}."),
        gain=("Dann bekommt {name} noch {count} dazu.", "Danach kauft {name} weitere {count}."),
        lose=("Dann verschenkt {name} {count}.", "Danach verliert {name} {count}."),
        times=(
            "Dann wird die Zahl der {items} {n}-mal so groß.",
            "Danach hat {name} {n}-mal so viele {items}.",
        ),
        close=("{how_many} hat {name} jetzt?", "{how_many} sind es jetzt?"),
    ),
    held_out=Templates(
        start=("In der Tasche von {name} liegen {count}.",),
        gain=("Jemand bringt {count} als Geschenk.",),
        lose=("Später verschwinden {count}.",),
        times=("Plötzlich gibt es {n}-mal so viele {items}.",),
        close=("Kannst du sagen, wie viele {items} {name} am Ende behält?",),
    ),
    reasoning=Templates(
        start=("Am Anfang gibt es {count}.",),
        gain=(
            "Dann kommen {n} hinzu, also erhalten wir {equation}.",
            "Wir zählen {n} dazu, und das ergibt {equation}.",
        ),
        lose=(
            "Dann fallen {n} weg, also erhalten wir {equation}.",
            "Wir ziehen {n} davon ab, und das ergibt {equation}.",
        ),
        times=("Dann wird die Zahl mit {n} multipliziert, also erhalten wir {equation}.",),
        close=("Also gibt es am Ende {count}.",),
    ),
)

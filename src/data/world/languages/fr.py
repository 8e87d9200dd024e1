"""French. Nouns elide `de` before a vowel; from 2 on they take the plural."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("pomme", "pommes")),
    "book": Noun(("livre", "livres")),
    "egg": Noun(("œuf", "œufs")),
    "ball": Noun(("ballon", "ballons")),
    "flower": Noun(("fleur", "fleurs")),
    "coin": Noun(("pièce", "pièces")),
    "pencil": Noun(("crayon", "crayons")),
    "orange": Noun(("orange", "oranges")),
    "stone": Noun(("pierre", "pierres")),
    "cup": Noun(("tasse", "tasses")),
    "fish": Noun(("poisson", "poissons")),
    "hat": Noun(("chapeau", "chapeaux")),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    singular, plural = noun.forms
    of = f"d'{plural}" if plural[0] in "œo" else f"de {plural}"
    return {
        "count": f"{number} {singular if number < 2 else plural}",
        "items": plural,
        "of_items": of,
        "how_many": f"Combien {of}",
    }


LANGUAGE = WorldLanguage(
    code="fr",
    names=("Marie", "Paul", "Claire", "Marc", "Sophie", "Louis"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name} a {count}.", "Au départ, {name} possède {count}."),
        gain=("Ensuite, {name} reçoit encore {count}.", "Puis {name} achète {count} de plus."),
        lose=("Ensuite, {name} donne {count} à un ami.", "Puis {name} perd {count}."),
        times=(
            "Ensuite, le nombre {of_items} est multiplié par {n}.",
            "Puis {name} a {n} fois autant {of_items}.",
        ),
        close=("{how_many} possède maintenant {name} ?", "{how_many} y a-t-il maintenant ?"),
    ),
    held_out=Templates(
        start=("Il y a {count} dans le sac de {name}.",),
        gain=("Quelqu'un apporte {count} en cadeau.",),
        lose=("Après cela, {count} disparaissent.",),
        times=("Soudain, il y a {n} fois autant {of_items}.",),
        close=("Peux-tu dire combien {of_items} il reste à {name} à la fin ?",),
    ),
    reasoning=Templates(
        start=("Au début, il y a {count}.",),
        gain=(
            "Ensuite on en ajoute {n}, ce qui donne {equation}.",
            "On ajoute {n} à ce nombre, donc on obtient {equation}.",
        ),
        lose=(
            "Ensuite on en retire {n}, ce qui donne {equation}.",
            "On enlève {n} de ce nombre, donc on obtient {equation}.",
        ),
        times=("Ensuite on multiplie ce nombre par {n}, ce qui donne {equation}.",),
        close=("Donc, à la fin, il y a {count}.",),
    ),
)

"""English. Plurals are regular but for `fish`; numbers from 2 on take the plural."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("apple", "apples")),
    "book": Noun(("book", "books")),
    "egg": Noun(("egg", "eggs")),
    "ball": Noun(("ball", "balls")),
    "flower": Noun(("flower", "flowers")),
    "coin": Noun(("coin", "coins")),
    "pencil": Noun(("pencil", "pencils")),
    "orange": Noun(("orange", "oranges")),
    "stone": Noun(("stone", "stones")),
    "cup": Noun(("cup", "cups")),
    "fish": Noun(("fish", "fish")),
    "hat": Noun(("hat", "hats")),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    singular, plural = noun.forms
    return {
        "count": f"{number} {singular if number == 1 else plural}",
        "items": plural,
        "how_many": f"How many {plural}",
    }


LANGUAGE = WorldLanguage(
    code="en",
    names=("Anna", "Tom", "Lucy", "David", "Emma", "Peter"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name} has {count}.", "{name} starts with {count}."),
        gain=("Then {name} gets {n} more {items}.", "Then {name} buys {n} more {items}."),
        lose=("Then {name} gives away {count}.", "Then {name} loses {count}."),
        times=("Then the number of {items} becomes {n} times as large.", "Then {name} has {n} times as many {items}."),
        close=("{how_many} does {name} have now?", "{how_many} are there now?"),
    ),
    held_out=Templates(
        start=("There are {count} in the bag of {name}.",),
        gain=("Somebody brings {count} as a present.",),
        lose=("After that, {count} go missing.",),
        times=("Suddenly there are {n} times as many {items}.",),
        close=("Can you say how many {items} {name} owns at the end?",),
    ),
    reasoning=Templates(
        start=("At the beginning there are {count}.",),
        gain=("Then {n} more are added, so we get {equation}.", "We add {n} to that, which gives {equation}."),
        lose=("Then {n} are taken away, so we get {equation}.", "We subtract {n} from that, which gives {equation}."),
        times=("Then the number is multiplied by {n}, so we get {equation}.",),
        close=("So in the end there are {count}.",),
    ),
)

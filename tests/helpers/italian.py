"""A language of the embedded world that the repository has not: `LANGUAGE`, in the shape of `languages/en.py`."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage, forms_with_gender

NOUNS = {
    "apple": Noun(("mela", "mele"), gender="f"),
    "book": Noun(("libro", "libri"), gender="m"),
    "egg": Noun(("uovo", "uova"), gender="f"),
    "ball": Noun(("palla", "palle"), gender="f"),
    "flower": Noun(("fiore", "fiori"), gender="m"),
    "coin": Noun(("moneta", "monete"), gender="f"),
    "pencil": Noun(("matita", "matite"), gender="f"),
    "orange": Noun(("arancia", "arance"), gender="f"),
    "stone": Noun(("pietra", "pietre"), gender="f"),
    "cup": Noun(("tazza", "tazze"), gender="f"),
    "fish": Noun(("pesce", "pesci"), gender="m"),
    "hat": Noun(("cappello", "cappelli"), gender="m"),
}


LANGUAGE = WorldLanguage(
    code="it",
    names=("Giulia", "Marco", "Chiara", "Luca", "Sofia", "Matteo"),
    nouns=NOUNS,
    forms=forms_with_gender("Quanti", "Quante"),
    question=Templates(
        start=("All'inizio {name} possiede {count}.", "{name} comincia la giornata con {count}."),
        gain=("Poi {name} ne riceve altre {n} in regalo.", "Dopo {name} ne compra altre {n} al mercato."),
        lose=("Poi {name} ne regala {n} a un'amica.", "Dopo {name} ne perde {n} per strada."),
        times=("Poi la quantità di {items} viene moltiplicata per {n}.",),
        close=("{how_many} possiede adesso {name}?", "{how_many} ci sono adesso in tutto?"),
    ),
    held_out=Templates(
        start=("Nella borsa di {name} ci sono {count}.",),
        gain=("Qualcuno ne porta altre {n} come regalo.",),
        lose=("Più tardi ne spariscono {n} all'improvviso.",),
        times=("All'improvviso c'è {n} volte la stessa quantità di {items}.",),
        close=("Sai dire {how_many_within} rimangono alla fine a {name}?",),
    ),
    reasoning=Templates(
        start=("All'inizio ci sono {count} in tutto.",),
        gain=("Poi se ne aggiungono altre {n}, quindi otteniamo {equation}.",),
        lose=("Poi ne togliamo {n} dalla quantità, quindi otteniamo {equation}.",),
        times=("Poi la quantità viene moltiplicata per {n}, quindi otteniamo {equation}.",),
        close=("Quindi alla fine ci sono {count} in tutto.",),
    ),
)

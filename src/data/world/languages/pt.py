"""Portuguese. `quantos` agrees with the gender of the noun; from 2 on nouns take the plural."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage, forms_with_gender

NOUNS = {
    "apple": Noun(("maçã", "maçãs"), gender="f"),
    "book": Noun(("livro", "livros"), gender="m"),
    "egg": Noun(("ovo", "ovos"), gender="m"),
    "ball": Noun(("bola", "bolas"), gender="f"),
    "flower": Noun(("flor", "flores"), gender="f"),
    "coin": Noun(("moeda", "moedas"), gender="f"),
    "pencil": Noun(("lápis", "lápis"), gender="m"),
    "orange": Noun(("laranja", "laranjas"), gender="f"),
    "stone": Noun(("pedra", "pedras"), gender="f"),
    "cup": Noun(("xícara", "xícaras"), gender="f"),
    "fish": Noun(("peixe", "peixes"), gender="m"),
    "hat": Noun(("chapéu", "chapéus"), gender="m"),
}


LANGUAGE = WorldLanguage(
    code="pt",
    names=("Maria", "João", "Ana", "Pedro", "Luísa", "Tiago"),
    nouns=NOUNS,
    forms=forms_with_gender("Quantos", "Quantas"),
    question=Templates(
        start=("{name} tem {count}.", "{name} começa com {count}."),
        gain=("Depois {name} recebe mais {count}.", "Em seguida {name} compra mais {count}."),
        lose=("Depois {name} dá {count} a um amigo.", "Em seguida {name} perde {count}."),
        times=(
            "Depois o número de {items} é multiplicado por {n}.",
            "Em seguida {name} tem {n} vezes essa quantidade de {items}.",
        ),
        close=("{how_many} {name} tem agora?", "{how_many} há agora?"),
    ),
    held_out=Templates(
        start=("Na bolsa de {name} há {count}.",),
        gain=("Alguém traz {count} de presente.",),
        lose=("Mais tarde desaparecem {count}.",),
        times=("De repente há {n} vezes a mesma quantidade de {items}.",),
        close=("Você pode dizer com {how_many_within} {name} fica no final?",),
    ),
    reasoning=Templates(
        start=("No começo temos {count}.",),
        gain=(
            "Depois juntamos mais {n}, então obtemos {equation}.",
            "Somamos {n} a essa quantidade, o que nos dá {equation}.",
        ),
        lose=(
            "Depois tiramos {n}, então obtemos {equation}.",
            "Subtraímos {n} dessa quantidade, o que nos dá {equation}.",
        ),
        times=("Depois a quantidade é multiplicada por {n}, então obtemos {equation}.",),
        close=("Portanto, no final temos {count}.",),
    ),
)

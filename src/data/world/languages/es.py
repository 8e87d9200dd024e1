"""Spanish. `cuántos` agrees with the gender of the noun; from 2 on nouns take the plural."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage, forms_with_gender

NOUNS = {
    "apple": Noun(("manzana", "manzanas"), gender="f"),
    "book": Noun(("libro", "libros"), gender="m"),
    "egg": Noun(("huevo", "huevos"), gender="m"),
    "ball": Noun(("pelota", "pelotas"), gender="f"),
    "flower": Noun(("flor", "flores"), gender="f"),
    "coin": Noun(("moneda", "monedas"), gender="f"),
    "pencil": Noun(("lápiz", "lápices"), gender="m"),
    "orange": Noun(("naranja", "naranjas"), gender="f"),
    "stone": Noun(("piedra", "piedras"), gender="f"),
    "cup": Noun(("taza", "tazas"), gender="f"),
    "fish": Noun(("pez", "peces"), gender="m"),
    "hat": Noun(("sombrero", "sombreros"), gender="m"),
}


LANGUAGE = WorldLanguage(
    code="es",
    names=("María", "Pablo", "Lucía", "Diego", "Elena", "Carlos"),
    nouns=NOUNS,
    forms=forms_with_gender("Cuántos", "Cuántas"),
    question=Templates(
        start=("{name} tiene {count}.", "{name} empieza con {count}."),
        gain=("Luego {name} recibe {count} más.", "Después {name} compra {count} más."),
        lose=("Luego {name} regala {count}.", "Después {name} pierde {count}."),
        times=(
            "Luego la cantidad de {items} se multiplica por {n}.",
            "Después {name} tiene {n} veces esa cantidad de {items}.",
        ),
        close=("¿{how_many} tiene ahora {name}?", "¿{how_many} hay ahora?"),
    ),
    held_out=Templates(
        start=("En la bolsa de {name} hay {count}.",),
        gain=("Alguien trae {count} como regalo.",),
        lose=("Más tarde desaparecen {count}.",),
        times=("De repente hay {n} veces la misma cantidad de {items}.",),
        close=("¿Puedes decir {how_many_within} le quedan a {name} al final?",),
    ),
    reasoning=Templates(
        start=("Al principio hay {count}.",),
        gain=(
            "Luego se añaden {n} más, así que obtenemos {equation}.",
            "Sumamos {n} a esa cantidad, lo que nos da {equation}.",
        ),
        lose=(
            "Luego se quitan {n}, así que obtenemos {equation}.",
            "Restamos {n} de esa cantidad, lo que nos da {equation}.",
        ),
        times=("Luego la cantidad se multiplica por {n}, así que obtenemos {equation}.",),
        close=("Entonces, al final hay {count}.",),
    ),
)

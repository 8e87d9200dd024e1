"""Russian. A noun has a nominative and an accusative singular, the form after 2-4 and the form after 5 and more."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("яблоко", "яблоко", "яблока", "яблок")),
    "book": Noun(("книга", "книгу", "книги", "книг")),
    "egg": Noun(("яйцо", "яйцо", "яйца", "яиц")),
    "ball": Noun(("мяч", "мяч", "мяча", "мячей")),
    "flower": Noun(("цветок", "цветок", "цветка", "цветков")),
    "coin": Noun(("монета", "монету", "монеты", "монет")),
    "pencil": Noun(("карандаш", "карандаш", "карандаша", "карандашей")),
    "orange": Noun(("апельсин", "апельсин", "апельсина", "апельсинов")),
    "stone": Noun(("камень", "камень", "камня", "камней")),
    "cup": Noun(("чашка", "чашку", "чашки", "чашек")),
    "fish": Noun(("рыба", "рыбу", "рыбы", "рыб")),
    "hat": Noun(("шляпа", "шляпу", "шляпы", "шляп")),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    nominative, accusative, few, many = noun.forms
    singular = number % 10 == 1 and number % 100 != 11
    paucal = number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14)
    return {
        "count": f"{number} {nominative if singular else few if paucal else many}",
        "counted": f"{number} {accusative if singular else few if paucal else many}",
        "items": many,
        "how_many": f"Сколько {many}",
        "times_word": "раза" if paucal else "раз",
    }


LANGUAGE = WorldLanguage(
    code="ru",
    names=("Анна", "Иван", "Мария", "Олег", "Вера", "Пётр"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name} берёт {counted}.", "Сначала {name} находит {counted}."),
        gain=("Затем {name} получает ещё {counted}.", "Потом {name} покупает ещё {counted}."),
        lose=("Затем {name} отдаёт {counted}.", "Потом {name} теряет {counted}."),
        times=(
            "Затем число {items} увеличивается в {n} {times_word}.",
            "Потом {items} становится в {n} {times_word} больше.",
        ),
        close=("{how_many} теперь?", "{how_many} в итоге имеет {name}?"),
    ),
    held_out=Templates(
        start=("На столе у нас {count}.",),
        gain=("Кто-то дарит ещё {counted}.",),
        lose=("Позже пропадает {count}.",),
        times=("Вдруг {items} оказывается в {n} {times_word} больше.",),
        close=("Можешь сказать, сколько {items} остаётся в конце?",),
    ),
    reasoning=Templates(
        start=("В самом начале есть {count}.",),
        gain=(
            "Затем добавляем {n} и получаем {equation}.",
            "Прибавляем к этому числу {n}, получается {equation}.",
        ),
        lose=(
            "Затем убираем {n} и получаем {equation}.",
            "Вычитаем из этого числа {n}, получается {equation}.",
        ),
        times=("Затем умножаем это число на {n} и получаем {equation}.",),
        close=("Значит, в конце будет {count}.",),
    ),
)

"""Samples of a language of the embedded world, to be read with your own eyes."""

from __future__ import annotations

import random

from src.data.world.problems import draw
from src.data.world.render import completion, question, world_languages
from src.data.world.spec import WorldSpec

LANGUAGES = world_languages()


def show(code: str, count: int = 5) -> None:
    """Print `count` problems: the question, the question in a held-out wording, the completion."""
    generator = random.Random(0)
    spec = WorldSpec(items=12)
    for _ in range(count):
        problem = draw(spec, generator)
        print(f"# {problem.key} of {problem.item}")
        print(question(problem, code, generator))
        print(question(problem, code, generator, held_out=True))
        print(completion(problem, code, generator), end="\n\n")

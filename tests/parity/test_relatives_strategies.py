"""Strategies: the case of relatives.json, where a text of ours stands as `<what it is.language>`."""

import json

import pytest

from src.data.records import Question
from src.language.phrases import PHRASES
from src.language.table import LANGUAGES
from src.strategies import clp
from tests.helpers.configs import compose
from tests.helpers.golden import files

QUESTION = "QUESTION"
FILES = [json.loads(path.read_text(encoding="utf-8")) for path in files("relatives.json")]
CASES = [
    (case, name, out)
    for file in FILES
    for case in file["cases"]
    if case["unit"] == "strategy"
    for name, out in zip(case["in"], case["out"], strict=True)
]
if not CASES:
    pytest.skip("no golden vectors: relatives.json is not in $GOLDEN_DIR", allow_module_level=True)


def named(text, source, target):
    """A text with its parts named as the cases name them, blanks between them left out."""
    phrases = PHRASES[source]
    parts = {
        phrases.restate.replace("{question}", QUESTION): f"<restate.{source}:question.{source}>",
        LANGUAGES[source].instruction: f"<line.{source}>",
        phrases.think_in: f"<think_and_answer_in.{source}>",
        phrases.opening: f"<opening.{source}>",
        phrases.marker: f"<marker.{source}>",
        clp.EXPERT.format(source=LANGUAGES[source].name): f"<expert.{source}>",
        clp.UNDERSTAND.format(target=LANGUAGES[target].name): f"<understand.{target}>",
        clp.SOLVE.format(target=LANGUAGES[target].name): f"<solve.{target}>",
        clp.FORM: "<answer_form>",
        QUESTION: f"<question.{source}>",
    }
    for part, name in parts.items():
        text = text.replace(part, name)
    return "".join(text.split())


@pytest.mark.parametrize(("case", "name", "out"), CASES, ids=[f"{case['id']}-{name}" for case, name, _ in CASES])
def test_relatives(case, name, out):
    spec = case["spec"]
    source, target = spec["language"], spec["target"]
    settings = [f"strategy.targets=[{target}]"] if name == "clp" else []
    strategy = compose("+experiment=evaluate", f"strategy={name}", *settings).strategy
    question = Question("p", source, QUESTION, "1")
    made = strategy(question, "localised", 0, 0, ["*reply*"] * (strategy.rounds - 1))
    prefill = "<think>\n" + named(made.prefill, source, target) if made.prefill else ""
    assert {"turns": [named(turn, source, target) for turn in made.turns], "prefill": prefill} == out

"""Mixes: the cases of relatives.json, where a text of ours stands as `<what it is.language>`."""

import json

import pytest

from src.data.mixes.base import Material
from src.data.mixes.sentences import switched
from src.data.records import Example
from src.language.phrases import TRANSLATE
from tests.helpers.configs import compose
from tests.helpers.golden import files

FILES = [json.loads(path.read_text(encoding="utf-8")) for path in files("relatives.json")]
CASES = [case for file in FILES for case in file["cases"] if case["unit"].split(".")[0] == "mix"]
if not CASES:
    pytest.skip("no golden vectors: relatives.json is not in $GOLDEN_DIR", allow_module_level=True)
PAIRS = [
    (case["spec"]["language"], name, out)
    for case in CASES
    if case["unit"] == "mix"
    for name, out in zip(case["in"], case["out"], strict=True)
]
SWITCHES = [
    (spec, out)
    for case in CASES
    if case["unit"] == "mix.code_switch"
    for spec, out in zip(case["in"], case["out"], strict=True)
]
PLAIN = {"cross": ["mix.line=false"], "qalign": ["mix.thinks=false"]}  # what the cases leave out


def row(code):
    return Example("p", code, f"<question.{code}>", "1", f"<completion.{code}>")


@pytest.mark.parametrize(("code", "name", "out"), PAIRS, ids=[name for _, name, _ in PAIRS])
def test_what_is_asked_and_what_is_learned(code, name, out):
    mix = compose("+experiment=sft", f"mix={name}", *PLAIN.get(name, ())).mix
    (made,) = mix(Material([row(code)], [row("en")]), 0)
    line = TRANSLATE.format(target="English") + "\n\n"
    assert [made.question.replace(line, f"<ask_translation.{code}.en>"), made.completion] == out


@pytest.mark.parametrize(("spec", "out"), SWITCHES)
def test_sentences_of_two_languages(spec, out):
    source, target = ([f"{name}{place}" for place in range(spec["n"])] for name in "st")
    assert switched(source, target, spec["ratio"], spec["order"]) == out

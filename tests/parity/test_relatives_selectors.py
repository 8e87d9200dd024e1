"""Selectors: the cases of relatives.json, from the yaml that a command uses."""

import dataclasses
import json

import pytest

from src.commands.selectors import selector
from src.selectors.base import Candidate
from src.selectors.vote import Vote
from tests.helpers.golden import files


def vote(case):
    select = Vote(key="float" if case["src"] == "upstream run" else "class", **case["spec"])
    return [select([Candidate("en", answer) for answer in answers]).answer for answers in case["in"]]


def best_of(case):
    rows = [[Candidate(code, answer, score=score) for code, score, answer in row] for row in case["in"]]
    return [selector("best_of")(row).answer for row in rows]


def oracle(case):
    """Whether what the oracle takes is right."""
    values = []
    for verdicts in case["in"]:
        row = [Candidate("en", "7", right=bool(verdict)) for verdict in verdicts]
        made = selector("oracle")(row)
        values.append(int(bool(row[made.index].right)))
    return values


def threshold(case):
    select = dataclasses.replace(selector("threshold"), **case["spec"])
    rows = [[Candidate("sw", "base"), Candidate("en", "translated", score=score)] for score in case["in"]]
    return [select(row).answer for row in rows]


UNITS = {f"selector.{name.__name__}": name for name in (vote, best_of, oracle, threshold)}
FILES = [json.loads(path.read_text(encoding="utf-8")) for path in files("relatives.json")]
CASES = [case for file in FILES for case in file["cases"] if case["unit"] in UNITS]
if not CASES:
    pytest.skip("no golden vectors: relatives.json is not in $GOLDEN_DIR", allow_module_level=True)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['unit']}-{case['id']}" for case in CASES])
def test_relatives(case):
    assert UNITS[case["unit"]](case) == case["out"]

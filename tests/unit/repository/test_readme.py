"""The README, the paper map and the walks of the architecture page: every target they name exists."""

import ast
import re

import pytest

from tests.helpers.paths import ROOT

README = (ROOT / "README.md").read_text()
PAPER_MAP = (ROOT / "docs" / "paper-map.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
TARGETS = sorted(set(re.findall(r"`((?:src|tests|conf)/[\w./]+(?:\.py::\w+|\.yaml))`", PAPER_MAP + ARCHITECTURE)))


def test_the_map_has_rows():
    assert len(TARGETS) > 30


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_exists(target):
    path, _, name = target.partition("::")
    assert (ROOT / path).is_file()
    if name:
        tree = ast.parse((ROOT / path).read_text())
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        assert name in defined


def test_the_readme_is_read_in_five_minutes_and_names_its_paper():
    assert len(README.splitlines()) <= 150
    assert len(README.split()) <= 1200  # at 240 words a minute
    assert "arxiv.org/abs/2606.15080" in README


def test_the_readme_shows_the_two_commands_and_links_that_exist():
    assert "make demo" in README
    assert "make test" in README
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_record_documentation_is_made_from_the_schema():
    from src.store.records import page

    assert (ROOT / "docs" / "records.md").read_text() == page(), "run make records-doc"


def test_the_metric_documentation_is_made_from_the_glossary():
    from src.tracking.glossary import page

    assert (ROOT / "docs" / "metrics.md").read_text() == page(), "run make metrics-doc"

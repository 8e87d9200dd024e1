"""The shape of `tests/`: unit tests lie in the room of what they test, and what tests share is a helper."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.helpers.paths import ROOT

TESTS = ROOT / "tests"
ROOMS = {path.name for path in (ROOT / "src").iterdir() if path.is_dir() and path.name != "__pycache__"}


def imported_tests(source: str) -> list[tuple[int, str]]:
    """(line, dotted name) of every import at any depth that has a module of tests in its name."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [(node.lineno, name.name) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [(node.lineno, f"{node.module or ''}.{name.name}") for name in node.names]
    return [(line, name) for line, name in names if any(part.startswith("test_") for part in name.split("."))]


def folders(path: Path) -> set[str]:
    return {folder.name for folder in path.iterdir() if folder.is_dir() and folder.name != "__pycache__"}


def test_an_imported_test_is_seen_in_every_form() -> None:
    source = (
        "import test_a\nfrom test_b import x\nfrom tests.unit.models import test_c\nfrom tests.unit.test_d import y\n"
    )
    source += "def f():\n    from . import test_e\nfrom tests.helpers import tiny\nimport src.models.load\n"
    assert [line for line, _ in imported_tests(source)] == [1, 2, 3, 4, 6]


def test_no_test_imports_a_test() -> None:
    violations = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for line, name in imported_tests(path.read_text())
    ]
    assert violations == []


def test_unit_tests_lie_in_the_room_of_what_they_test() -> None:
    assert folders(TESTS / "unit") == ROOMS | {"repository"}
    assert list((TESTS / "unit").glob("test_*.py")) == []


def test_helpers_lie_in_one_folder() -> None:
    """Beside tests there is nothing but conftest.py."""
    outside = {
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path.parent != TESTS / "helpers" and not path.name.startswith("test_") and path.name != "conftest.py"
    }
    assert outside == {"__init__.py"}

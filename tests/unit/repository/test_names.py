"""What the source may not contain: names that say nothing, and lines that the formatter leaves alone."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

VAGUE = {"found", "told", "some"}


def bound_names(source: str) -> list[tuple[int, str]]:
    """(line, name) of everything that the source gives a name, in the order of lines.

    Variables and attributes in every form of assignment (loops, comprehensions, `with`, `except`, `match`, `:=`),
    arguments, functions, classes and the names of imports.
    """
    nodes = ast.walk(ast.parse(source))
    return sorted((getattr(node, "lineno", 0), name) for node in nodes for name in names_of(node))


def names_of(node: ast.AST) -> Iterator[str]:
    """The names that this node alone binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.split(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def unformatted(source: str) -> list[int]:
    """Lines with a comment that keeps the formatter away; the same words in a string are no comment."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    switches = ("# fmt: skip", "# fmt: off")
    return [token.start[0] for token in tokens if token.type == tokenize.COMMENT and token.string.startswith(switches)]


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "x: int = 1",
        "x += 1",
        "(a, [*x]) = b",
        "for x in a: pass",
        "[b for x in a]",
        "(x := 1)",
        "with a as (b, x): pass",
        "try: pass\nexcept E as x: pass",
        "match a:\n    case [b, *x]: pass",
        "match a:\n    case {1: b, **x}: pass",
        "match a:\n    case C(b=x): pass",
        "a.x = 1",
        "def f(x): pass",
        "def f(*x): pass",
        "def f(**x): pass",
        "lambda *, x=1: 0",
        "def x(): pass",
        "async def x(): pass",
        "class x: pass",
        "import a.b as x",
        "import x.y",
        "from a import b as x",
    ],
)
def test_a_name_is_seen_in_every_form(source: str) -> None:
    assert "x" in {name for _, name in bound_names(source)}


def test_a_name_that_is_only_used_is_none() -> None:
    assert bound_names("print(x, a.x, f(x=x), 'x', x[0])\nx.y()") == []


def test_names_say_what_they_hold() -> None:
    violations = [
        f"{path.relative_to(ROOT)}:{line} calls something {name}"
        for path in sources("src", "tests")
        for line, name in bound_names(path.read_text(encoding="utf-8"))
        if name in VAGUE
    ]
    assert violations == []


def test_a_comment_for_the_formatter_is_seen() -> None:
    assert unformatted("a = [\n    1,\n]  # fmt: skip\nb = '# fmt: skip'\n# fmt: off\nc = 1\n") == [3, 5]


def test_the_formatter_formats_all_of_the_source() -> None:
    violations = [
        f"{path.relative_to(ROOT)}:{line} is not formatted"
        for path in sources("src")
        for line in unformatted(path.read_text(encoding="utf-8"))
    ]
    assert violations == []

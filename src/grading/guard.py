"""Foreign scorers that evaluate an answer as Python get an evaluator that only calculates.

Several scorers of `reasoning-gym` call `eval` on the answer (`binary_matrix`, `n_queens`, ...) or `sympy.parse_expr`, which does: an answer
could run any code, or name the gold answer. While such a scorer works, both read literals, arithmetic and the
functions below, and raise on all else.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType
from typing import Any

# What a formula may call: mostly what a calculator has. `Integral` is left out: it would answer a question by repeating it.
FUNCTIONS = frozenset(
    (
        *("Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Abs", "abs", "sqrt", "cbrt", "root"),
        *("exp", "log", "ln", "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "acot", "asec"),
        *("acsc", "atan2", "sinh", "cosh", "tanh", "coth", "sech", "csch", "asinh", "acosh", "atanh", "acoth"),
        *("asech", "acsch", "factorial", "binomial", "floor", "ceiling", "Min", "Max", "min", "max", "sign"),
        *("erf", "erfc", "erfi", "Si", "Ci", "Shi", "Chi", "Ei", "li"),
    )
)
CONSTANTS = frozenset(("pi", "E", "I"))
_NAMED = frozenset(("Symbol", "Integer", "Float", "Rational"))  # what takes its value as text
_NODES = (
    *(ast.Expression, ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Load),
    *(ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.Call, ast.Name),
)
_NAME = re.compile(r"[\w.+-]{1,100}")  # of a symbol, or a number as text


class Refused(ValueError):
    """Text that is more than a value or a formula."""


def harmless(source: str, names: Mapping[str, Any] | None = None) -> ast.Expression:
    """The tree of an expression of literals, operators, `FUNCTIONS` and `names`, which are values and are not called.

    Raises:
        Refused: there is anything else in it.
    """
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Refused(f"no expression: {type(error).__name__}") from None
    called = {id(node.func): node.func.id for node in _calls(tree)}
    texts = {id(argument) for node in _calls(tree) if called[id(node.func)] in _NAMED for argument in node.args}
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise Refused(f"{type(node).__name__} in an expression")
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in CONSTANTS | set(names or ()):
            raise Refused(f"the name {node.id!r:.40} in an expression")
        text = node.value if called and isinstance(node, ast.Constant) and isinstance(node.value, str) else None
        if text is not None and not (id(node) in texts and _NAME.fullmatch(text)):
            raise Refused("text as an argument")
    return tree


@contextmanager
def guarded(package: str) -> Iterator[None]:
    """In it, `eval` in the modules of `package` and in sympy's parser calculates only."""
    modules = [
        module
        for name, module in list(sys.modules.items())
        if module is not None and (name.split(".")[0] == package or name == "sympy.parsing.sympy_parser")
    ]
    before = [(module, vars(module).get("eval")) for module in modules]
    for module in modules:
        vars(module)["eval"] = _formula if module.__name__ == "sympy.parsing.sympy_parser" else _value
    try:
        yield
    finally:
        for module, own in before:
            if own is None:
                vars(module).pop("eval", None)
            else:
                vars(module)["eval"] = own


def _calls(tree: ast.AST) -> list[Any]:
    """The calls of the tree.

    Raises:
        Refused: something else than one of `FUNCTIONS` is called, or not with plain arguments.
    """
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in calls:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            raise Refused("a call in an expression")
    return calls


def _value(source: object, *scopes: object) -> Any:
    """`eval` for a module of the package: literals and arithmetic."""
    if not isinstance(source, str):
        raise Refused("code instead of text")
    tree = harmless(source)
    if _calls(tree):
        raise Refused("a call in a value")
    return builtins.eval(compile(tree, "<answer>", "eval"), {"__builtins__": {}})


def _formula(source: object, scope: dict[str, Any], local: Mapping[str, Any] | None = None) -> Any:
    """`eval` for sympy's parser, which passes the text or its tree, compiled, with what the names stand for."""
    if isinstance(source, CodeType) or not isinstance(source, str):
        raise Refused("code instead of text")
    tree = harmless(source, local)
    return builtins.eval(compile(tree, "<answer>", "eval"), scope, dict(local or {}))

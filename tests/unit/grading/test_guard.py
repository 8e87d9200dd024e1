"""What a foreign scorer may evaluate: values and formulas, and no code."""

import sys
import types

import pytest
import sympy

from src.grading.guard import Refused, guarded, harmless


@pytest.mark.parametrize(
    "text", ["[1, 2, [3]]", "('a', 'b')", "{'x': -1.5}", "(0x1f + 3) << 2", "2**3 - 1", " {1, 2} ", "None"]
)
def test_values_and_arithmetic_are_harmless(text):
    assert harmless(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getpid()",
        "entry['answer']",
        "entry",
        "[row for row in board]",
        "(lambda: 1)()",
        "().__class__",
        "open('/etc/hostname')",
        "sqrt('x')",
        "Symbol(\"__import__('os')\")",
        "Symbol('x y')",
        "Integral(Symbol('x'), Symbol('x'))",
        "(a := 1)",
        "f'{answer}'",
        "'%s' % entry",
        "sqrt(*[1])",
        "log(2, evaluate=False)",
        "sqrt(2).args",
        "1 if True else 2",
        "x == y",
        "(((",
        "",
        "\0",
    ],
)
def test_code_is_refused(text):
    with pytest.raises(Refused):
        harmless(text)


def scorer(monkeypatch, source):
    """A module `pretend.scorer` with that source."""
    module = types.ModuleType("pretend.scorer")
    exec(source, vars(module))
    monkeypatch.setitem(sys.modules, "pretend.scorer", module)
    return module


def test_a_scorer_that_evaluates_the_answer_reads_its_value_and_runs_nothing(monkeypatch):
    module = scorer(monkeypatch, "def score(answer, entry):\n    return eval(answer) == entry['answer']\n")
    entry = {"answer": [1, 2]}
    assert module.score("entry['answer']", entry)  # what the guard is for
    with guarded("pretend"):
        assert module.score("[1, 2]", entry)
        for answer in ("entry['answer']", "__import__('builtins').list((1, 2))", "list([1, 2])"):
            with pytest.raises(Refused):
                module.score(answer, entry)
    assert module.score("list([1, 2])", entry)  # the module's own again


def test_formulas_are_parsed_and_functions_that_are_no_formula_are_refused():
    x = sympy.Symbol("x")
    with guarded("pretend"):
        assert sympy.parse_expr("3*x**2/2 + exp(x)*sin(2*x)") == 3 * x**2 / 2 + sympy.exp(x) * sympy.sin(2 * x)
        assert sympy.parse_expr("y + 0.5", local_dict={"y": x}) == x + 0.5
        for text in ("__import__('os').getpid()", "Integral(x, x)", "lambdify(x, 'x')", "x.args", "print(x)"):
            with pytest.raises((Refused, SyntaxError)):
                sympy.parse_expr(text)
    assert sympy.parse_expr("Integral(x, x)") == sympy.Integral(x, x)


def test_the_evaluators_come_back_when_a_scorer_raises(monkeypatch):
    module = scorer(monkeypatch, "def score(answer):\n    raise KeyError(answer)\n")
    with pytest.raises(KeyError), guarded("pretend"):
        module.score("1")
    assert "eval" not in vars(module) and "eval" not in vars(sys.modules["sympy.parsing.sympy_parser"])

"""Are two LaTeX expressions equal? Exactly: no decimal is rounded, and what is not finite equals only itself.

Text is read by latex2sympy2 (the reader of math-verify) as LaTeX, whole or not at all; sympy does the algebra. Values are
equal when their difference is zero to 600 digits; expressions with variables, when that holds wherever both are real at
points drawn for the purpose and, where they have corners (absolute values, maxima, floors), by simplification too. For
workers only: the time and memory of hostile text have no bound here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from latex2sympy2_extended import NormalizationConfig, normalize_latex
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, _Latex2Sympy
from latex2sympy2_extended.logic import And
from sympy import (
    Abs,
    AccumBounds,
    Basic,
    Dummy,
    Eq,
    Expr,
    Float,
    GreaterThan,
    I,
    Integral,
    Interval,
    LessThan,
    Limit,
    MatrixBase,
    Max,
    Min,
    Mod,
    Ne,
    Piecewise,
    Product,
    Rational,
    Set,
    StrictGreaterThan,
    StrictLessThan,
    Sum,
    Symbol,
    Tuple,
    ceiling,
    floor,
    nan,
    oo,
    sign,
    simplify,
    solve,
    zoo,
)
from sympy import FiniteSet as SympyFiniteSet
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

DIGITS = 600  # more than an answer may have characters
_CONFIG = NormalizationConfig(basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none")
_CONVERSION = ConversionConfig(interpret_as_mixed_fractions=False, lowercase_symbols=False)
_NOT_READ = re.compile(r"(?<![_^\d])\d+\s+\d|\d\.\d*\.|[?!]{2}|[^\W\d_]{24}")  # two numbers side by side are no product
_BUILDER = re.compile(r"\s*\\\{\s*[a-zA-Z]\s*(?:\\mid|\||:)\s*(.+)\\\}\s*", re.DOTALL)
_COMMON_LOGARITHM = re.compile(r"\\lg(?![a-z])")
_BLANKS = re.compile(r"(?<!\w)\s+|\s+(?!\w)")  # all but those between words and numbers
_SHORT = re.compile(r"\\frac\s*(\d)\s*(\d)")  # TeX takes one digit each
_MIXED = re.compile(r"(?<![\d.^_a-zA-Z])(\d+)\s*\\frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_DEGREES = re.compile(r"\s*(?:\^\s*\{?\s*\\circ\s*\}?|°)")
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])")
_LONG_DECIMAL = re.compile(r"(?<![\d.])(\d+)\.(\d{8,})(?![\d.])")
_SIGNS = {"π": "\\pi ", "×": "\\times ", "·": "\\cdot ", "÷": "/", "≠": "\\ne ", "θ": "\\theta ", "α": "\\alpha "}
_CORNERS = (Abs, Max, Min, Mod, Piecewise, ceiling, floor, sign)
_FLIPPED = {GreaterThan: LessThan, StrictGreaterThan: StrictLessThan}
_POINTS = 10
_ENOUGH = 3  # points where both sides are real
_MAGNITUDES = ((13, 10), (29, 31), (47, 11), (61, 83), (7, 3), (101, 17), (307, 11), (1009, 7), (19, 41), (10007, 3))


class _Reader(_Latex2Sympy):  # type: ignore[misc]  # it has no types
    """latex2sympy2's reader, to which a number beside a number is a factor: 3(5) is 15, not the mixed number 3 + 5."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._converted: dict[int, Any] = {}

    def convert_postfix_list(self, arr: Any, i: int = 0) -> Any:
        if i < len(arr) - 1:
            first = self.convert_postfix(arr[i])
            if isinstance(first, Expr) and first.is_Integer:
                second = self.convert_postfix_list(arr, i + 1)
                return (
                    self.mat_mul_flat(first, second) if isinstance(second, MatrixBase) else self.mul_flat(first, second)
                )
            self._converted[id(arr[i])] = first
        return super().convert_postfix_list(arr, i)

    def convert_postfix(self, postfix: Any) -> Any:
        known = self._converted.pop(id(postfix), None)
        return super().convert_postfix(postfix) if known is None else known


def compare_formulas(gold: str, answer: str) -> str:
    """`right`, `wrong` or `unparsed`, of two normalised texts. What cannot be read equals only what is written alike."""
    wanted, given = read(gold), read(answer)
    if wanted is None or given is None:
        alike = _BLANKS.sub("", gold) == _BLANKS.sub("", answer)
        return "right" if alike else "unparsed" if given is None else "wrong"
    return "right" if equal(wanted, given) else "wrong"


@lru_cache(maxsize=4096)
def read(text: str) -> Any | None:
    """The sympy object that the whole of `text` stands for, decimals as exact fractions; None when it is no LaTeX."""
    for sign_, command in _SIGNS.items():
        text = text.replace(sign_, command)
    builder = _BUILDER.fullmatch(text)
    if builder:  # {x | x > 1}
        condition = read(builder[1])
        single = condition is not None and _relations(condition) and len(condition.free_symbols) == 1
        return _as_set(condition) if single else None
    text = _COMMON_LOGARITHM.sub("\\\\log_{10}", text)
    text = _MIXED.sub(_mixed, _SHORT.sub(r"\\frac{\1}{\2}", text))
    text = _LONG_DECIMAL.sub(lambda match: f"(\\frac{{{match[1]}{match[2]}}}{{1{'0' * len(match[2])}}})", text)
    text = _DEGREES.sub("\\\\cdot\\\\frac{\\\\pi}{180}" if _TRIGONOMETRIC.search(text) else "", text)
    if _NOT_READ.search(text) or not text.strip():
        return None
    try:
        parsed = _Reader(is_real=True, config=_CONVERSION).parse(normalize_latex(text, _CONFIG))
    except Exception:  # the reader raises whatever it likes
        return None
    return _exact(parsed) if isinstance(parsed, (Basic, MatrixBase)) else None


def equal(gold: Any, answer: Any) -> bool:
    """Whether two sympy objects are the same value, function, relation, list, set or matrix."""
    if isinstance(gold, Basic) and isinstance(answer, Basic):
        gold, answer = _without_functions(gold, answer)
    if isinstance(gold, MatrixBase) or isinstance(answer, MatrixBase):
        both = isinstance(gold, MatrixBase) and isinstance(answer, MatrixBase)
        return both and gold.shape == answer.shape and _all_equal(gold.flat(), answer.flat())
    relations = _relations(gold), _relations(answer)
    if relations[0] and relations[1]:
        return _same_relations(gold, answer, *relations)
    if relations[0] or relations[1]:
        one, other = (_as_set(value) if made else value for value, made in zip((gold, answer), relations, strict=True))
        if isinstance(gold, Interval) and gold.is_open and not gold.has(oo, -oo):
            return False  # it may be a point
        return isinstance(one, Set) and isinstance(other, Set) and _same_set(one, other)
    if isinstance(gold, (Set, Tuple)) or isinstance(answer, (Set, Tuple)):
        return _same_collection(gold, answer)
    return isinstance(gold, Expr) and isinstance(answer, Expr) and same_value(gold, answer)


def same_value(one: Expr, other: Expr) -> bool:
    """Whether two expressions have the same value, whatever real values their variables have."""
    endless = any(expression.replace(_bounded, _any).has(oo, -oo) for expression in (one, other))
    one, other = (expression.doit() for expression in (one, other))
    if any(expression.has(nan, zoo, AccumBounds) for expression in (one, other)):
        return False
    if endless or one.has(oo, -oo) or other.has(oo, -oo):
        return bool(one == other) and bool(one.has(oo, -oo))
    if one == other:
        return True
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    if not symbols:
        return _is_zero(one - other)
    agreed = 0
    complex_ = one.has(I) or other.has(I)
    for point in _points(symbols):
        pair = [expression.xreplace(point).doit() for expression in (one, other)]
        if not all(map(_finite, pair)) or not (complex_ or all(map(_real, pair))):
            continue
        if not _is_zero(pair[0] - pair[1]):
            return False
        agreed += 1
    if agreed >= _ENOUGH and not one.has(*_CORNERS) and not other.has(*_CORNERS):
        return True
    return bool(simplify(one - other) == 0)


def _without_functions(one: Any, other: Any) -> tuple[Any, Any]:
    """Both with a variable of its own for each value of an unknown function: f(1), f(x)."""
    terms = sorted(one.atoms(AppliedUndef) | other.atoms(AppliedUndef), key=str)
    names = {term: Symbol(f"{term}", real=True) for term in terms}
    return (one.xreplace(names), other.xreplace(names)) if names else (one, other)


def _bounded(expression: Any) -> bool:
    """A limit, sum, product or integral may be finite although its bounds are not."""
    return isinstance(expression, (Integral, Limit, Product, Sum))


def _any(expression: Any) -> Any:
    return Dummy()


def _exact(parsed: Any) -> Any:
    """`parsed` with decimals as the fractions they are written as, and a free `i` as the imaginary unit."""
    if isinstance(parsed, MatrixBase):
        return parsed.applyfunc(_exact)
    changes: dict[Any, Any] = {number: Rational(str(number)) for number in parsed.atoms(Float)}
    changes |= {symbol: I for symbol in parsed.free_symbols if symbol.name == "i"}
    return parsed.xreplace(changes) if changes else parsed


def _mixed(match: re.Match[str]) -> str:
    whole, top, bottom = match.groups()
    return f"({whole}+\\frac{{{top}}}{{{bottom}}})" if int(top) < int(bottom) else match[0]


def _is_zero(number: Expr) -> bool:
    """Whether a number, given as an expression without variables, is zero."""
    if number.is_Rational:
        return bool(number == 0)
    value = number.evalf(20, maxn=DIGITS)
    if not _finite(value):
        return False
    parts = value.as_real_imag()
    return not any(isinstance(part, Float) and part != 0 and part._prec > 1 for part in parts) and not any(
        part.is_Rational and part != 0 for part in parts
    )


def _finite(number: Expr) -> bool:
    return not number.has(oo, -oo, zoo, nan, AccumBounds) and not number.free_symbols and bool(number.is_number)


def _real(number: Expr) -> bool:
    if number.is_real is not None:
        return bool(number.is_real)
    imaginary = number.evalf(20).as_real_imag()[1]
    return bool(imaginary == 0 or abs(imaginary) < Rational(1, 10**12))


def _points(symbols: list[Any]) -> Iterator[dict[Any, Any]]:
    """Rational values of both signs and several sizes for each symbol, always the same."""
    for number in range(_POINTS):
        point = {}
        for place, symbol in enumerate(symbols):
            top, bottom = _MAGNITUDES[(number + 3 * place) % len(_MAGNITUDES)]
            negative = (number >> (place % 3)) & 1
            point[symbol] = Rational((-1 if negative else 1) * (top + place), bottom)
        yield point


def _all_equal(gold: Iterable[Any], answer: Iterable[Any]) -> bool:
    return all(equal(one, other) for one, other in zip(gold, answer, strict=True))


def _matched(gold: list[Any], answer: list[Any]) -> bool:
    """Whether each of `gold` has its equal in `answer` and the other way round."""
    return all(any(equal(one, other) for other in answer) for one in gold) and all(
        any(equal(one, other) for one in gold) for other in answer
    )


def _same_collection(gold: Any, answer: Any) -> bool:
    if isinstance(gold, Tuple) and isinstance(answer, Tuple):
        return len(gold) == len(answer) and _all_equal(gold, answer)
    if isinstance(gold, Tuple) or isinstance(answer, Tuple):
        return False
    one, other = (value if isinstance(value, Set) else SympyFiniteSet(value) for value in (gold, answer))
    return _same_set(one, other)


def _same_set(gold: Any, answer: Any) -> bool:
    if gold is None:
        return False
    if isinstance(gold, SympyFiniteSet) and isinstance(answer, SympyFiniteSet):
        return _matched(list(gold.args), list(answer.args))
    if isinstance(gold, Interval) and isinstance(answer, Interval):
        openness = gold.left_open == answer.left_open and gold.right_open == answer.right_open
        return openness and equal(gold.start, answer.start) and equal(gold.end, answer.end)
    if gold.has(nan, zoo) or answer.has(nan, zoo):
        return False
    if gold == answer:
        return True
    try:
        return bool(gold.symmetric_difference(answer).is_empty)
    except Exception:  # sympy knows no rule for these sets
        return False


def _relations(value: Any) -> list[Any]:
    """The relations that `value` is made of, left to right; empty when it is none."""
    if isinstance(value, Relational):
        return [value]
    if isinstance(value, And) and all(isinstance(part, Relational) for part in value.args):
        return list(getattr(value, "_unsorted_args", value.args))
    return []


def _same_relations(gold: Any, answer: Any, wanted: list[Any], given: list[Any]) -> bool:
    if all(isinstance(part, Eq) for part in wanted + given):
        wanted, given = [_chain(wanted)], [_chain(given)]
    if len(wanted) == len(given):
        free = list(given)
        for one in wanted:
            match = next((other for other in free if _same_relation(one, other)), None)
            if match is None:
                break
            free.remove(match)
        else:
            return True
    if any(isinstance(part, (Eq, Ne)) for part in wanted + given):
        return False
    return (
        len(gold.free_symbols) == 1
        and gold.free_symbols == answer.free_symbols
        and _same_set(_as_set(gold), _as_set(answer))
    )


def _chain(equations: list[Any]) -> Any:
    """Of `a = b = c` the equation `a = c`."""
    return Eq(equations[0].lhs, equations[-1].rhs, evaluate=False)


def _same_relation(one: Any, other: Any) -> bool:
    """Whether two equations or inequalities are multiples of each other, or have the same solutions."""
    one, other = map(_upwards, (one, other))
    if type(one) is not type(other):
        return False
    parts = one.lhs, one.rhs, other.lhs, other.rhs
    if any(isinstance(part, (Set, Tuple, MatrixBase)) for part in parts):
        return equal(one.lhs, other.lhs) and equal(one.rhs, other.rhs)
    symmetric = isinstance(one, (Eq, Ne))
    if isinstance(one.lhs, Symbol) and isinstance(other.lhs, Symbol):
        if one.lhs == other.lhs:
            return same_value(one.rhs, other.rhs)
        if not (one.rhs.free_symbols and other.rhs.free_symbols):
            return False
    differences = one.lhs - one.rhs, other.lhs - other.rhs
    if any(part.has(oo, -oo, zoo, nan) for part in differences):
        return bool(one == other)
    factor = _factor(*differences)
    if factor is not None:
        return symmetric or bool(factor.evalf() > 0)
    return symmetric and _same_solutions(*differences)


def _upwards(relation: Any) -> Any:
    flipped = _FLIPPED.get(type(relation))
    return flipped(relation.rhs, relation.lhs, evaluate=False) if flipped else relation


def _factor(one: Any, other: Any) -> Any | None:
    """The constant c other than 0 with one = c * other, or None."""
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    if not symbols or one.free_symbols != other.free_symbols:
        return None
    for point in _points(symbols):
        pair = [difference.xreplace(point).doit() for difference in (one, other)]
        if all(_finite(value) and _real(value) and not _is_zero(value) for value in pair):
            factor = pair[0] / pair[1]
            return factor if same_value(one, factor * other) else None
    return None


def _same_solutions(one: Any, other: Any) -> bool:
    """Whether two equations, given as what is zero, have the same solutions for one of their variables."""
    for symbol in sorted(one.free_symbols & other.free_symbols, key=str):
        try:
            solutions = solve(one, symbol), solve(other, symbol)
        except NotImplementedError:
            continue
        if all(solutions):
            return _matched(*solutions)
    return False


def _as_set(relation: Any) -> Any | None:
    try:
        return relation.as_set()
    except Exception:  # several variables, or no rule
        return None

"""The tables of a report for a paper: LaTeX with booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from src.common.tables import Cell, Table
from src.common.visible import visible
from src.reporting.page import Section

HEAD = "% \\usepackage{booktabs} in the preamble; other scripts than Latin take XeLaTeX or LuaLaTeX and a font that has them.\n"
ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    }
)


def as_latex(sections: Sequence[Section]) -> str:
    """The tables that have a head, each under its section's title."""
    shown = [(section.title, section.table) for section in sections if section.table and any(section.table.head)]
    return HEAD + "".join(f"\n{latex(table, title)}" for title, table in shown)


def latex(table: Table, caption: str) -> str:
    """A `table` environment: numbers to the right, the first columns, which hold words, to the left."""
    words = next(
        (place for place in range(len(table.head)) if any(_is_number(row[place]) for row in table.rows)),
        len(table.head),
    )
    lines = [
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{escaped(caption)}}}",
        f"\\begin{{tabular}}{{{'l' * words}{'r' * (len(table.head) - words)}}}",
        r"\toprule",
        _line(table.head),
        r"\midrule",
        *map(_line, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """`text` as LaTeX prints it, on one line."""
    return visible(" ".join(text.split())).translate(ESCAPED)


def _line(cells: Sequence[Cell]) -> str:
    return " & ".join(escaped(cell or "") for cell in cells) + r" \\"


def _is_number(cell: Cell) -> bool:
    return bool(cell) and str(cell).strip().lstrip("<>+- ")[:1].isdigit()

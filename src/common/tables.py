"""A table as plain text with aligned columns, as markdown, or as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Cell = str | None  # None: the row has no such cell


@dataclass(frozen=True)
class Table:
    """`rows` have as many cells as `head`."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]

    def markdown(self, rule: str = "---|") -> str:
        """A `|` in a cell is escaped. `rule`: what stands below each cell of the head."""
        return "\n".join([_markdown_line(self.head), "|" + rule * len(self.head), *map(_markdown_line, self.rows)])

    def text(self, right: bool = False) -> str:
        """Two spaces between columns. `right`: all columns but the first are aligned to the right, as numbers are."""
        lines = [[(cell or "").strip() for cell in row] for row in (self.head, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if right and place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def csv(self, line_end: str = "\r\n") -> str:
        """One line for the head and each row, quoted where needed."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator=line_end)
        writer.writerow(self.head)
        writer.writerows(self.rows)
        return buffer.getvalue()


def pairs(values: Mapping[str, object]) -> Table:
    """Names and values in two columns without a head; a `|` becomes `/`, so that markdown can hold it."""
    return Table((None, None), [(name, str(value).replace("|", "/")) for name, value in values.items()])


def _markdown_line(cells: Sequence[Cell]) -> str:
    return "|" + "".join(" |" if cell is None else " " + cell.replace("|", "\\|") + " |" for cell in cells)

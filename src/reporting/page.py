"""The report page: markdown, and one HTML file with everything inside."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.common.tables import Table

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0; } td, th { border: 1px solid #ccc; padding: 3px 7px; }
img { max-width: 100%; } pre { background: #f6f6f6; padding: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Section:
    """A heading with paragraphs of markdown-free text, a table, a picture, or literal model output."""

    title: str
    text: str = ""
    table: Table | None = None
    picture: Path | None = None
    literal: Sequence[str] = ()


def as_markdown(title: str, sections: Sequence[Section]) -> str:
    """The page for reading in a repository; pictures are linked."""
    lines = [f"# {title}", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        if section.text:
            lines += [section.text, ""]
        if section.table:
            lines += [section.table.markdown(), ""]
        if section.picture:
            lines += [f"![{section.title}]({section.picture.name})", ""]
        for text in section.literal:
            fence = "`" * (max((len(run) for run in _runs(text)), default=0) + 3)
            lines += [fence + "text", text, fence, ""]
    return "\n".join(lines)


def as_html(title: str, sections: Sequence[Section]) -> str:
    """One self-contained file. Every text is escaped: model output is hostile."""
    parts = [f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>"]
    parts.append(f"<h1>{html.escape(title)}</h1>")
    for section in sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>")
        if section.text:
            parts.append(f"<p>{html.escape(section.text)}</p>")
        if section.table:
            parts.append(_table(section.table))
        if section.picture:
            data = base64.b64encode(section.picture.read_bytes()).decode()
            parts.append(f'<img alt="{html.escape(section.title)}" src="data:image/png;base64,{data}">')
        parts += [f"<pre>{html.escape(text)}</pre>" for text in section.literal]
    return "\n".join(parts) + "\n"


def _table(table: Table) -> str:
    head, *rows = [[html.escape((cell or "").strip()) for cell in row] for row in (table.head, *table.rows)]
    titles = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{titles}</tr>{body}</table>"


def _runs(text: str) -> list[str]:
    import re

    return re.findall("`+", text)

"""The report page: markdown, and one HTML file with everything inside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.common.tables import Table
from src.reporting.pages import TEMPLATES, environment, policy_source


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
    """One self-contained file, for wide screens and narrow ones, light and dark. Every text is escaped, and the page may load
    and run nothing but what it brings: model output is hostile."""
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    templates = environment()
    templates.filters["unbroken"] = _unbroken
    shown = [
        {
            "title": section.title,
            "text": section.text,
            "table": section.table,
            "image": base64.b64encode(section.picture.read_bytes()).decode() if section.picture else "",
            "literal": section.literal,
        }
        for section in sections
    ]
    page: str = templates.get_template("page.html").render(
        title=title, sections=shown, style=style, script=script, script_source=policy_source(script)
    )
    return page


def _unbroken(cell: str) -> str:
    """A cell in whose intervals no line is broken."""
    import re

    return re.sub(r"\[[^][]*\]", lambda interval: interval[0].replace(" ", "\u00a0"), cell)


def _runs(text: str) -> list[str]:
    import re

    return re.findall("`+", text)

"""What `make docs` adds to the pages of docs/: files of the repository that they link to, and the API reference."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
START = {"README.md": "index.md"}
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
# Beside the imports that library.md promises: what additions are built on.
BASES = (
    *("src.rewards.base", "src.rewards.measures", "src.rewards.part", "src.algorithm.schedules.base"),
    *("src.strategies.base", "src.selectors.base", "src.data.benchmarks.base", "src.models.merge.base"),
    *("src.config.schema", "src.store.directory"),
)


def place(path: str) -> str:
    """Where a file of the repository is in the site."""
    return START.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else path)


def source(uri: str) -> str:
    """The file of the repository that is at a place of the site."""
    if uri in START.values():
        return next(path for path, at in START.items() if at == uri)
    return f"docs/{uri}" if (ROOT / "docs" / uri).is_file() else uri


def targets(path: str) -> set[str]:
    """The files of the repository that a page links to."""
    text = (ROOT / path).read_text(encoding="utf-8")
    folder = posixpath.dirname(path)
    linked = {posixpath.normpath(posixpath.join(folder, link)) for link, _ in LINK.findall(text)}
    return {name for name in linked if (ROOT / name).is_file()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the start page, the reference, and all that pages link to outside docs/."""
    there = {file.src_uri for file in files}
    reports = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "experiments").glob("*/README.md"))]
    pending = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        *reports,
        *(f"docs/{uri}" for uri in there if uri.endswith(".md")),
    ]
    seen: set[str] = set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        if place(path) not in there:
            files.append(File.generated(config, place(path), abs_src_path=str(ROOT / path)))
            there.add(place(path))
        if path.endswith(".md"):
            pending += targets(path)
    files.append(File.generated(config, "reference.md", content=reference()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as they are from the page's place in the site; one that leads nowhere stays, and the build fails."""
    here = source(page.file.src_uri)

    def moved(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), match[1]))
        if not (ROOT / path).is_file():
            return match[0]
        there = os.path.relpath(place(path), posixpath.dirname(page.file.src_uri) or ".")
        return f"]({there}{match[2] or ''})"

    return LINK.sub(moved, markdown)


def reference() -> str:
    """The modules that library.md promises and those that additions build on, from their docstrings."""
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    promised = re.findall(r"^>>> from (src\S+) import", text, flags=re.MULTILINE)
    lines = [
        "# Reference",
        "",
        "From the docstrings. The first modules are those that [library](library.md) promises.",
        "",
    ]
    for module in dict.fromkeys([*promised, *BASES]):
        lines += [f"## `{module}`", "", f"::: {module}", ""]
    return "\n".join(lines)

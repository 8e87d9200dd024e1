"""The site that `make docs` builds: every page is in its contents, and its extra is pinned."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.helpers.paths import ROOT

# Made by the build; and the README, which is the first page.
MADE = {"index.md", "reference.md"}


def listed(entries: list[object]) -> list[str]:
    """The pages of a part of the contents, in order."""
    pages: list[str] = []
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        pages += listed(value) if isinstance(value, list) else [str(value)]
    return pages


def test_every_page_is_in_the_contents_once():
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    pages = listed(site["nav"])
    assert len(pages) == len(set(pages))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= set(pages)
    assert [
        page for page in set(pages) - MADE if not ((ROOT / "docs" / page).is_file() or (ROOT / page).is_file())
    ] == []
    assert all((ROOT / Path(hook)).is_file() for hook in site["hooks"])


def test_the_build_is_strict_and_shows_its_warnings():
    """Warnings that are not shown are not counted."""
    (command,) = re.findall(r"mkdocs build.*", (ROOT / "Makefile").read_text())
    assert "--strict" in command and "--quiet" not in command

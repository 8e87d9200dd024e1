"""One HTML file to browse rollouts and evaluation records of any number of runs: `src.commands.rollouts` writes it.

The page loads nothing and runs nothing but its own scripts. Every text of a run is packed (`src.reporting.rollout_packing`), made
visible, and put on the page as text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.common.visible import one_line, visible
from src.language.table import LANGUAGES
from src.reporting.pages import TEMPLATES, environment, policy_source
from src.reporting.rollout_packing import Blocks, Columns, packed
from src.reporting.rollout_pieces import pieces
from src.reporting.rollout_text import Reading
from src.store.records import PART, Row

FOLDER = "browser"  # of the templates
SCRIPTS = ("data.js", "text.js", "filters.js", "list.js", "detail.js", "main.js")  # in the order they are run
STYLE = "rollouts.css"
TRAINING, EVALUATION = "training", "evaluation"
RIGHT_TO_LEFT = ("arabic",)  # scripts
# Columns of rows that are shown as they are, texts on one line.
PLAIN = (
    *(
        "step",
        "group",
        "split",
        "part",
        "problem",
        "sample",
        "language",
        "detected",
        "answer_detected",
        "status",
        "rule",
    ),
    *("correct", "in_language", "code_switched", "truncated", "trained", "tokens", "sentences", "reward", "advantage"),
    *("alignment_factor", "alignment_term", "diversity_term"),
)
SET = ("step", "group", "split", "part")  # with the run and the prompt: what the completions of a group have in common
TEXTS = ("question", "completion", "gold", "answer", "switches")
NEEDED = (*PLAIN, *TEXTS)  # and the parts of the reward


@dataclass(frozen=True)
class Rows:
    """Rollouts of GRPO, or evaluation records, of one run, which is called `run` on the page."""

    run: str
    rows: Iterable[Row]
    reading: Reading
    evaluation: bool = False


@dataclass(frozen=True)
class Counts:
    """What a page holds; `size` in bytes."""

    rollouts: int
    records: int
    size: int


def write_page(path: Path, title: str, sources: Sequence[Rows], parts: Sequence[str] = ()) -> Counts:
    """Write the page at `path`, whole or not at all. `parts` are those of the rewards of all sources.

    Raises:
        OSError: it cannot be written. What reading the rows raises is passed on.
    """
    columns = Columns(["run", "kind", "prompt", "set", *PLAIN, *(PART + part for part in parts)])
    blocks = Blocks()
    prompts: dict[tuple[str, ...], int] = {}  # a question and its language -> number
    sets: dict[tuple[Any, ...], int] = {}  # the completions of a prompt that belong together -> number
    names = list(dict.fromkeys(source.run for source in sources))
    counts = {TRAINING: 0, EVALUATION: 0}
    for source in sources:
        kind = EVALUATION if source.evaluation else TRAINING
        own = {"run": names.index(source.run), "kind": kind}
        for row in source.rows:
            flat = {
                name: one_line(value) if isinstance(value, str) else value
                for name, value in row.items()
                if name not in TEXTS
            }
            question = visible(row.get("question") or "")
            asked = (flat.get("language") or "", question or f"problem {flat.get('problem')}")
            prompt = prompts.setdefault(asked, len(prompts))
            together = (source.run, kind, prompt, *map(flat.get, SET))
            columns.add(flat | own | {"prompt": prompt, "set": sets.setdefault(together, len(sets))})
            blocks.add(question, [_shown(row.get("gold")), _shown(row.get("answer")), _flat(row, source.reading)])
            counts[kind] += 1
    blocks.finish()
    readings = {source.run: source.reading for source in sources}
    content = {
        "runs": [{"name": one_line(name), "multiplies": readings[name].multiplies} for name in names],
        "languages": [
            {"code": row.code, "name": row.name, "rtl": row.script in RIGHT_TO_LEFT} for row in LANGUAGES.values()
        ],
        "parts": list(parts),
        "rows": columns.rows,
        "columns": columns.content(),
        "blocks": blocks.starts,
    }
    _write(path, one_line(title), packed(content), blocks.packs)
    return Counts(counts[TRAINING], counts[EVALUATION], path.stat().st_size)


def _shown(text: str | None) -> str | None:
    return None if text is None else visible(text)


def _flat(row: Row, reading: Reading) -> list[str]:
    return [text for piece in pieces(row, reading.thinks) for text in piece]


def _write(path: Path, title: str, content: str, packs: Sequence[str]) -> None:
    style = (TEMPLATES / FOLDER / STYLE).read_text(encoding="utf-8")
    scripts = [(TEMPLATES / FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    page = (
        environment()
        .get_template(f"{FOLDER}/rollouts.html")
        .generate(
            title=title,
            style=style,
            style_source=policy_source(style),
            scripts=scripts,
            script_sources=[policy_source(script) for script in scripts],
            content=content,
            packs=packs,
        )
    )
    temporary = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(page)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)

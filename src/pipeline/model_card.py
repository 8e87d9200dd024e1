"""The card of a model that a stage leaves: `README.md` in its folder, as the Hugging Face hub reads it.

The card identifies nothing: no hash of a model and no checksum of a stage counts it, so that it may be edited. It tells no time and no
folder of the machine. A stage that several methods share names none of them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.common.checksums import checksum
from src.common.files import replace_durably
from src.common.tables import Table
from src.config.schema import Config
from src.models.spec import WORLD_BASE
from src.pipeline.stage import Planned
from src.store.directory import MODEL_CARD, OVERRIDES, SHARED
from src.store.provenance import PACKAGES, ROOT, provenance
from src.store.seen import Rows, seen_rows

DATA = {"sft": ("sft", "validation"), "grpo": ("prompts",)}  # stage -> its files, as keys of `data`
CITATION = "CITATION.cff"
LIMITS = (
    "The recipe is made for questions with one answer that can be checked: other tasks, and languages beside those above, were not "
    "trained on, and safety was not looked at. Answers can be wrong, and the reasoning can be in another language than the question: "
    "evaluate the model before you use it."
)
_HUB = re.compile(r"[\w.-]+/[\w.-]+")
_PIECE = re.compile(r"""'[^']*'|"[^"]*"|[^=,\[\]{}:]+""")  # of an override


@dataclass(frozen=True)
class Card:
    """What a card says. `bases` are the models that it was made from, by hub name or that of their folder; `data`: (setting, file, SHA-256);
    `seen`: stage -> language -> rows, None where that is unknown."""

    title: str
    bases: Sequence[str]
    merged: bool
    tags: Sequence[str]
    recipe: Mapping[str, str]
    command: Sequence[str]
    data: Sequence[tuple[str, str, str]]
    seen: Rows | None
    citation: str


def write_model_card(config: Config, planned: Planned, run: Path) -> None:
    """Write the card of the model that `planned` has left; nothing where it leaves none. `run` is the directory of the run."""
    if planned.result.is_dir():
        replace_durably(planned.result / MODEL_CARD, card_text(card_of(config, planned, run)).encode())


def card_of(config: Config, planned: Planned, run: Path) -> Card:
    """What is known of the model of a stage."""
    shared = planned.name in SHARED
    bases = _bases(config, planned)
    facts = provenance()
    recipe = {
        **({} if shared else {"method": config.method}),
        "stage": planned.name,
        "scale": config.scale,
        "seed": str(config.seed),
        "made from": ", ".join(map(_public, bases)) or "nothing",
        "commit": facts["commit"],
        **{name: facts[name] for name in PACKAGES},
    }
    name = planned.name if shared else f"{config.method}, {planned.name}"
    overrides = run / OVERRIDES
    return Card(
        title=f"{name}, seed {config.seed}",
        bases=bases,
        merged=planned.name == "merge",
        tags=[*([] if shared else [config.method]), planned.name],
        recipe=recipe,
        command=overrides.read_text(encoding="utf-8").splitlines() if overrides.is_file() else [],
        data=_data(config, planned),
        seen=seen_rows(str(planned.result)),
        citation=(ROOT / CITATION).read_text(encoding="utf-8") if (ROOT / CITATION).is_file() else "",
    )


def card_text(card: Card) -> str:
    """The card as markdown with a YAML front matter. `base_model` names models of the hub alone, and `license` is left out: it is that
    of the models and data that went in."""
    import yaml

    hub = [base for base in card.bases if _HUB.fullmatch(base) and not Path(base).is_dir()]
    seen = card.seen or {}
    codes = sorted({code for counts in seen.values() for code in counts})
    matter: dict[str, Any] = {
        **({"base_model": hub if len(hub) > 1 else hub[0]} if hub else {}),
        **({"base_model_relation": "merge" if card.merged else "finetune"} if hub else {}),
        **({"language": codes} if codes else {}),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": list(card.tags),
    }
    rows = [[code, *(str(counts.get(code, 0)) for counts in seen.values())] for code in codes]
    languages = Table(["language", *(f"rows of {stage}" for stage in seen)], rows).markdown() if codes else "Unknown."
    given = " \\\n    ".join(["python -m src.run", *(shlex.quote(short_paths(text)) for text in card.command)])
    files = Table(["setting", "file", "SHA-256"], [list(row) for row in card.data]).markdown() if card.data else ""
    sections = [
        ("Recipe", Table(["", ""], [[name, f"`{value}`"] for name, value in card.recipe.items()]).markdown()),
        ("Command", f"Files and folders by their names alone:\n\n```\n{given}\n```" if card.command else ""),
        ("Data", files),
        ("Languages seen in training", languages),
        ("Limits", LIMITS),
        ("Citation", f"```yaml\n{card.citation.strip()}\n```" if card.citation else ""),
    ]
    body = "".join(f"\n## {title}\n\n{text}\n" for title, text in sections if text)
    front = yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n# {card.title}\n{body}"


def short_paths(override: str) -> str:
    """An override without the folders of absolute paths.

    >>> short_paths("data.sft=/home/ann/my data/sft.jsonl"), short_paths("model.path=Qwen/Qwen3-4B")
    ('data.sft=sft.jsonl', 'model.path=Qwen/Qwen3-4B')
    """
    return _PIECE.sub(_shortened, override)


def _shortened(match: re.Match[str]) -> str:
    piece = match[0]
    quote = piece[0] if piece[0] in "'\"" else ""
    text = piece.strip(quote) if quote else piece
    absolute = text.startswith(("/", "~")) and not text.startswith("//")
    return f"{quote}{Path(text).name}{quote}" if absolute else piece


def _bases(config: Config, planned: Planned) -> list[str]:
    """The models of the run's own start, not those that its stages left on the way."""
    if planned.name == "pretrain":
        return []
    if planned.name == "merge":
        return [str(name) for name in config.merge.models]
    return [config.model.path]


def _public(name: str) -> str:
    """A model by a name that others know, or at least by that of its folder."""
    if name == WORLD_BASE:
        return "the base model of the embedded world"
    return Path(name).name if Path(name).is_absolute() or Path(name).is_dir() else name


def _data(config: Config, planned: Planned) -> list[tuple[str, str, str]]:
    """The files that a stage has learned from; of a place in a repository its name, which holds the commit."""
    rows = []
    for key in DATA.get(planned.name, ()):
        name = getattr(config.data, key)
        if name is not None:
            there = Path(name).is_file()
            rows.append((f"data.{key}", Path(name).name if there else str(name), checksum(Path(name)) if there else ""))
    return rows

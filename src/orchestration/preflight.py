"""The preflight of a set of runs: once, before the first of them, and of all arms together."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from src.common.errors import ConfigError, UserError
from src.common.files import replace_durably
from src.common.identity import short_hash
from src.config.checks import check
from src.config.schema import Config
from src.orchestration.jobs import Draft, Runs
from src.pipeline.plan import plan
from src.pipeline.plan import stages as stages_of
from src.pipeline.preflight.look import Look
from src.pipeline.preflight.run import environment, look_at, noted, refusal, start_of
from src.store.directory import PREFLIGHT, SHARED_FOLDER


def preflight(runs: Runs) -> str:
    """Look at what the runs of the first seed need; a line about it, empty where nothing is left or all is as it was.

    What an arm takes from another that has not run yet is left out: its data is not there, and its model has the sizes and
    the tokenizer of the one that the other starts from.

    Raises:
        ConfigError: some runs would not get to their end; the message lists everything that is wrong, and in which arms.
    """
    began = time.perf_counter()
    drafts = runs.drafts()
    later = {text for draft in drafts for text in _later(draft, drafts)}
    problems: dict[str, list[str]] = {}
    looks: list[tuple[str, Look, list[str]]] = []
    starts: dict[str, str] = {}
    identities: list[Any] = []
    for draft in drafts:
        config = draft.config
        try:
            taken = later & set(_places(config))
            if taken:  # what it builds on was looked at with its own arm
                left, model = stages_of(config), starts.get(_started(config), "")
                identities.append(draft.job.arguments)
            else:
                check(config)
                planned = [stage for stage in plan(config, draft.job.directory) if not stage.finished]
                left, model = [stage.name for stage in planned], start_of(config, planned) if planned else ""
                identities.append([stage.identity for stage in planned])
            starts[draft.leaves] = model
            here = not any(text.startswith("cluster=") and text != "cluster=local" for text in draft.job.overrides)
            look = Look(config, model, Path(runs.root), frozenset(taken), here)
            looks.append((draft.job.name, look, left))
            identities.append(environment(config))
        except UserError as error:
            problems.setdefault(str(error), []).append(draft.job.name)
    file = Path(runs.root) / runs.scale / SHARED_FOLDER / PREFLIGHT
    seen = short_hash(identities)
    if not problems and (noted(file) == seen or not any(left for _, _, left in looks)):
        return ""
    Path(runs.root).mkdir(parents=True, exist_ok=True)
    known: dict[str, dict[str, Any]] = {}
    for name, look, left in looks:
        look.known = known.setdefault(
            short_hash([look.model, str(look.config.model), look.config.data.instruction]), {}
        )
        for problem in look_at(look, left):
            problems.setdefault(problem, []).append(name)
    if problems:
        raise ConfigError(refusal([f"{text} ({', '.join(names)})" for text, names in problems.items()]))
    replace_durably(file, json.dumps({"passed": seen}).encode())
    lines = [f"preflight: {len(looks)} runs a seed can run ({time.perf_counter() - began:.1f} s)"]
    return "\n".join([*lines, *dict.fromkeys(f"note: {text}" for _, look, _ in looks for text in look.notes)])


def _started(config: Config) -> str:
    """The model that a run takes from another."""
    return config.merge.models[0] if "merge" in config.stages and config.merge.models else config.model.path


def _later(draft: Draft, drafts: Sequence[Draft]) -> Iterator[str]:
    """What a run takes from the folders of runs of the set and is not there yet."""
    folders = [other.job.directory for other in drafts]
    for text in _places(draft.config):
        path = Path(text)
        if not path.exists() and any(path.is_relative_to(folder) for folder in folders):
            yield text


def _places(config: Config) -> Iterator[str]:
    """The settings that may name what another run makes."""
    data = config.data
    yield from (
        text for text in (config.model.path, data.sft, data.validation, data.prompts, data.samples) if text is not None
    )
    yield from (*config.traces.questions, *config.prompts.sources, *config.merge.models)

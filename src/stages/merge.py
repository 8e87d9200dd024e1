"""Merge models of one base into one model: no training, one pass over their weights on disk."""

from __future__ import annotations

from src.config.schema import Config
from src.models.merge.accept import merge_models
from src.pipeline.merging import needs_start, open_models, places
from src.pipeline.preflight.look import Look
from src.pipeline.stage import Declaration, Stage
from src.store.seen import note_merged

INPUTS = ("merge",)


def declare(config: Config) -> Declaration:
    """What the pipeline must know of this stage: models that come with a base of their own need none of the run."""
    return Declaration(INPUTS, model=needs_start(config), makes_model=True, split=False)


def preflight(look: Look) -> None:
    """The models were compared when the run was planned."""


def run(stage: Stage) -> None:
    """Merge `merge.models` by the rule `merge`; leaves `model/`."""
    config = stage.config
    # 1. The models, compared by their headers.
    models, base = open_models(config, stage.planned.model)
    # 2. Tensor by tensor into a folder aside, which gets its name when it loads and computes.
    notes = {"stage": "merge", "settings": stage.planned.inputs["merge"]}
    with stage.progress(len(models[0].entries), "tensor") as advance:
        merge_models(
            config.merge,
            models,
            base,
            stage.planned.result,
            notes,
            advance,
            trust_remote_code=config.model.trust_remote_code,
        )
    # 3. What they have seen, the merged model has.
    parts, start = places(config, stage.planned.model)
    note_merged(stage.planned.result, parts, start or stage.planned.model)

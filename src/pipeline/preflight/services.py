"""Whether services can give a reward its evidence, as far as that can be seen without asking them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from src.common.errors import UserError
from src.config.schema import Config
from src.data.records import Question
from src.data.references import references_of
from src.rewards.base import PIVOT
from src.rollout.services import used
from src.services.http import key_from_environment
from src.services.spec import ENDPOINT, ServicesSpec


def missing_keys(spec: ServicesSpec, needs: Collection[str]) -> list[str]:
    """A sentence for each service that gives some of `needs` and whose key is not set."""
    problems = []
    for service in (getattr(spec, name) for name in used(needs)):
        if service.by == ENDPOINT:
            try:
                key_from_environment(service)
            except UserError as error:
                problems.append(str(error))
    return problems


def missing_references(config: Config, needs: Collection[str], questions: Sequence[Question]) -> tuple[str, str]:
    """(what is wrong where no question has a reference, a note where some have none); empty where all have one.

    A question that is in the pivot language, or can be translated, needs no reference to be asked in it.
    """
    spec = config.services
    if set(needs) == {PIVOT} and spec.translator.by == ENDPOINT:
        return "", ""
    find = references_of(spec.references, spec.pivot, config.data.layout)
    asked = [row for row in questions if set(needs) != {PIVOT} or row.language != spec.pivot]
    without = [row for row in asked if find(row) is None]
    if not without:
        return "", ""
    one = f"such as problem {without[0].problem} ({without[0].language})"
    if len(without) < len(asked):
        return "", (
            f"{len(without)} of {len(asked)} questions, {one}, have no reference in {spec.pivot}: parts of the reward "
            "that need one do not apply to their completions"
        )
    if spec.references is None:
        return (
            f"services.references must name a file of worked examples in {spec.pivot} for questions that are not the embedded "
            f"world's, {one}; got null. Each is found by the id of its problem",
            "",
        )
    return (
        f"services.references: {spec.references} must hold examples in {spec.pivot} with the ids of the questions; it has "
        f"that of none, {one}",
        "",
    )

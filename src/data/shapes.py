"""Rows of questions and worked examples as data sets of the hub hold them, turned into rows with the fields of `src.data.records`.

    own             `problem`, `language`, `question`, `gold`, `completion`
    messages        a chat: what the user says is the question, what the assistant says the completion
    conversations   the same with `from` and `value`
    prompt          the question as a text or a chat, with or without a `completion` of either kind; `reward_model.ground_truth` is
                    the gold answer

Columns of other names are mapped (`data.fields`, `benchmark.fields`). A message of the system is left out: prompts are made by the
chat template of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from src.data.formats import Layout, at, joined, text_id
from src.data.readers import BadData

FIELDS = ("problem", "language", "question", "gold", "completion", "kind", "part", "trace_language")
FOREIGN = "shape"  # the key that says that a row was no row of ours
_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant"}


def shaped(row: dict[str, Any], where: str, layout: Layout) -> dict[str, Any]:
    """A row with our fields, as far as it has them; `FOREIGN` names the column a chat or a prompt was read from.

    A column that is mapped to a field is not read under its own name as well.

    Raises:
        BadData: a chat that is not one question and at most one answer.
    """
    named = {
        "problem" if ours == "id" else ours: value
        for ours, place in layout.fields.items()
        if (value := at(row, place)) is not None
    }
    mapped = set(layout.fields.values())
    own = {name: value for name, value in row.items() if value is not None and name not in mapped}
    for column in ("messages", "conversations", "prompt"):
        if column in own and "question" not in (own | named):
            own |= _asked(own, column, where)
            break
    if isinstance(own.get("completion"), list):
        own |= {"completion": _said(own["completion"], where, "completion"), FOREIGN: own.get(FOREIGN, "completion")}
    graded = own.get("reward_model")
    if "gold" not in own and isinstance(graded, dict) and graded.get("ground_truth") is not None:
        own["gold"] = graded["ground_truth"]
    return {"language": layout.language} | own | named


def numbered(rows: Sequence[dict[str, Any]]) -> None:
    """Give the rows of a file without a `problem` in any row one: their `id` where each has one of its own, else a hash of the
    question."""
    if any(row.get("problem") is not None for row in rows):
        return
    ids = [row.get("id") for row in rows]
    own = all(isinstance(name, str | int) and not isinstance(name, bool) for name in ids) and len(set(ids)) == len(ids)
    for row, name in zip(rows, ids, strict=True):
        if own:
            row["problem"] = name
        elif isinstance(row.get("question"), str) and row["question"].strip():
            row["problem"] = text_id(row["question"].strip())


def _asked(row: dict[str, Any], column: str, where: str) -> dict[str, Any]:
    """Question and, in a chat that has one, completion of a chat or a prompt."""
    value = row[column]
    if isinstance(value, str):
        return {"question": value, FOREIGN: column}
    if not isinstance(value, list):
        return {}
    turns = _turns(value)
    asked = [turn for turn in turns if turn["role"] == "user"]
    answers = [turn for turn in turns if turn["role"] == "assistant"]
    if len(asked) != 1 or len(answers) > 1 or (answers and turns[-1] is not answers[0]):
        raise BadData(
            f"{where}, field {column!r}: must be one question and at most one answer after it; got "
            f"{len(asked)} messages of the user and {len(answers)} of the assistant. Leave out rows of several turns"
        )
    made: dict[str, Any] = {"question": joined(asked[0]), FOREIGN: column}
    return made | ({"completion": joined(answers[0])} if answers else {})


def _said(value: list[Any], where: str, column: str) -> str | None:
    turns = _turns(value)
    if len(turns) != 1 or turns[0]["role"] != "assistant":
        raise BadData(
            f"{where}, field {column!r}: must be a text, or a chat of one message of the assistant; got {len(turns)}."
        )
    return joined(turns[0])


def _turns(value: list[Any]) -> list[dict[str, Any]]:
    """The messages of user and assistant, as role and content, with reasoning where it has a field of its own."""
    turns = []
    for item in value:
        if isinstance(item, dict):
            role = str(item.get("role", item.get("from", ""))).lower()
            turn = {**item, "role": _ROLES.get(role, role), "content": item.get("content", item.get("value"))}
            turns.append(turn)
    return [turn for turn in turns if turn["role"] in ("user", "assistant")]

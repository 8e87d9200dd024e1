"""Saved completions as other tools write them, turned into rows with the fields of `src.data.completions`.

    own         `id`, `language`, `completion`, `gold`, ...; a completion may be a list: one a sample
    messages    `messages`, a chat whose last message is the completion
    lm_eval     `samples_*.jsonl` of lm-evaluation-harness, written with --log_samples
    lighteval   `details_*.parquet` of lighteval, written with --save-details
    trl         `prompt` and `completion`: the parquet files of TRL's `log_completions`
    verl        `input`, `output`, `gts`: rollouts and validation of verl; or `prompt`, `responses` of its generation
    openai      the output of a batch of an OpenAI-compatible endpoint

A reasoning field of its own (`reasoning_content`, `reasoning`) goes before the content, closed by `</think>`.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src.data.readers import ENDINGS, BadData, ending_of, rows_of
from src.language.table import language_in
from src.language.trace import closing_tag

Row = dict[str, Any]
REASONING = ("reasoning_content", "reasoning")
LETTERS = "ABCDEFGHIJ"
REPORTED = ("id", "language", "split", "part")  # all in `doc`: samples that a report of ours wrote


@dataclass(frozen=True)
class Layout:
    """How a file of completions is read. `format` is a name of `FORMATS`, or `auto`: by its fields. `language` is that of
    rows that name none. `fields` maps a field of ours to where it stands in the file, dots leading into objects."""

    format: str = "auto"
    language: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def read_rows(path: Path, layout: Layout) -> list[tuple[str, Row]]:
    """(where, row) of every completion of a file, or of the files of a folder, with the fields of ours that it has.

    `format` names how the row was read, `fields` what it held; `prompt` is a text that the question stands in, `position`
    true where the id is only the row's number.

    Raises:
        BadData: there is no such file, or a row that is not of its format.
    """
    rows: list[tuple[str, Row]] = []
    for file in _files(path):
        name = layout.format
        code = layout.language or _language_of(file)
        kept = None
        for number, (where, whole) in enumerate(rows_of(file)):
            row = {key: value for key, value in whole.items() if value is not None and value == value}  # NaN: not there
            name = _format_of(row, layout) if name == "auto" else name
            kept = row.get("filter") if number == 0 else kept
            if name == "lm_eval" and row.get("filter") != kept:
                continue  # the same completions, scored in another way
            named = {ours: value for ours, place in layout.fields.items() if (value := at(row, place)) is not None}
            for ours in FORMATS[name](row | named, where, number):
                values = ours | {key: value for key, value in named.items() if key != "completion"}
                clean = {key: value for key, value in values.items() if value is not None}
                rows.append((where, {"language": code} | clean | {"format": name, "fields": list(row)}))
    return rows


def text_id(text: str) -> str:
    """An id of a prompt that has none: a hash of it."""
    return "prompt-" + hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12]


def joined(message: Mapping[str, Any], cut_off: bool = False) -> str | None:
    """The text of a message: its reasoning, `</think>`, its content; of one that was cut off in its reasoning that alone.
    None where it has neither."""
    content: Any = message.get("content", message.get("completion"))
    if isinstance(content, list):  # parts of text
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    reasoning = next((message[name] for name in REASONING if isinstance(message.get(name), str)), "")
    if not isinstance(content, str):
        if not reasoning.strip():
            return None
        content = ""
    if not reasoning.strip() or closing_tag(content):
        return str(content)
    if cut_off and not content.strip():
        return f"<think>\n{reasoning.strip()}"
    return f"<think>\n{reasoning.strip()}\n</think>\n\n{content.strip()}"


def _own(row: Row, where: str, number: int) -> list[Row]:
    return [{"id": row.get("problem")} | row | {"completion": text} for text in _texts(row, row.get("completion"))]


def _messages(row: Row, where: str, number: int) -> list[Row]:
    chat = [message for message in row["messages"] if isinstance(message, dict)]
    if not chat or chat[-1].get("role") not in ("assistant", "model"):
        raise BadData(f"{where}, field 'messages': must end with a message of the assistant.")
    asked = [message.get("content") for message in chat if message.get("role") == "user"]
    own = {"id": row.get("problem")} | row | {"completion": joined(chat[-1])}
    return [own | _prompt(own, asked[-1] if asked else None)]


def _lm_eval(row: Row, where: str, number: int) -> list[Row]:
    texts = _texts({}, row.get("resps", row.get("filtered_resps")))
    if any(not isinstance(text, str) for text in texts):
        raise BadData(f"{where}, field 'resps': must hold texts; a task that compares likelihoods has no completions.")
    doc = row["doc"] if isinstance(row.get("doc"), dict) else {}
    gold = row.get("target", doc.get("answer"))
    if isinstance(doc.get("answer_number"), int | float | str):  # of MGSM, whose target may be a whole solution
        gold = doc["answer_number"]
    letter = re.fullmatch(r"\(([A-J])\)", gold.strip()) if isinstance(gold, str) else None
    graded: Row = {"gold": letter[1], "kind": "choice"} if letter else {"gold": gold}
    question = {"question": doc["question"]} if isinstance(doc.get("question"), str) else {}
    own = {"id": row.get("doc_id", number), "position": True} | graded | question
    if all(name in doc for name in REPORTED):
        own |= {name: doc[name] for name in REPORTED} | {"position": False}
    return [own | {"completion": text} for text in texts]


def _lighteval(row: Row, where: str, number: int) -> list[Row]:
    doc = next((row[name] for name in ("doc", "__doc__") if isinstance(row.get(name), dict)), row)
    answer = next(
        (row[name] for name in ("model_response", "__model_response__") if isinstance(row.get(name), dict)), None
    )
    choices, right = (_listed(doc.get(name)) for name in ("choices", "gold_index"))
    gold: Any = None
    kind = None
    if len(choices) > 1 and len(right) == 1:
        gold, kind = LETTERS[right[0]] if 0 <= right[0] < len(LETTERS) else None, "choice"
    elif answer is None and len(set(map(str, _listed(doc.get("gold"))))) == 1:
        gold = _listed(doc["gold"])[0]
    elif len(choices) == 1:
        gold = choices[0]
    texts = _listed(answer.get("text")) if answer is not None else _listed(row.get("predictions"))
    thoughts = _listed(answer.get("reasonings")) if answer is not None else []
    if any(thoughts) and len(thoughts) == len(texts):
        texts = [joined({"content": t, "reasoning": r or ""}) for t, r in zip(texts, thoughts, strict=True)]
    own = {"id": doc.get("id") or number, "position": True, "gold": gold, "kind": kind}
    own["prompt"] = doc.get("query", doc.get("example", doc.get("full_prompt")))
    return [own | {"completion": text} for text in texts]


def _trl(row: Row, where: str, number: int) -> list[Row]:
    own = {name: value for name, value in row.items() if name not in ("prompt", "sample", "step")}
    return [own | _prompt(own, row["prompt"]) | {"completion": text} for text in _texts(row, row["completion"])]


def _verl(row: Row, where: str, number: int) -> list[Row]:
    reward = row.get("reward_model")
    gold = row.get("gts", reward.get("ground_truth") if isinstance(reward, dict) else None)
    if isinstance(gold, list) and len(gold) == 1:
        gold = gold[0]
    own = {"language": row.get("language", row.get("lang")), "gold": gold}
    own |= _prompt({}, row.get("input", row.get("prompt")))
    return [own | {"completion": text} for text in _texts({}, row.get("output", row.get("responses")))]


def _openai(row: Row, where: str, number: int) -> list[Row]:
    response = row.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list) or not choices:
        said = row.get("error") or (body.get("error") if isinstance(body, dict) else None)
        raise BadData(
            f"{where}, field 'response': holds no completion of {row.get('custom_id')!r:.80} ({said!r:.80}). Ask for it again, "
            f"or leave the row out"
        )
    usage = body.get("usage") if isinstance(body, dict) else None
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) and len(choices) == 1 else None
    rows = []
    for choice in choices:
        cut_off = choice.get("finish_reason") == "length"
        text = joined(choice.get("message") or {"content": choice.get("text")}, cut_off)
        rows.append({"id": row.get("custom_id"), "completion": text, "tokens": tokens, "truncated": cut_off})
    return rows


# name -> (the fields by which a row is known, how it is read); in the order in which they are tried.
_KNOWN: dict[str, tuple[Sequence[set[str]], Callable[[Row, str, int], list[Row]]]] = {
    "lm_eval": (({"doc_id", "resps"}, {"doc_id", "filtered_resps"}), _lm_eval),
    "lighteval": (
        ({"doc", "model_response"}, {"__doc__", "__model_response__"}, {"predictions", "gold_index"}),
        _lighteval,
    ),
    "openai": (({"custom_id", "response"}, {"custom_id", "error"}), _openai),
    "verl": (({"input", "output"}, {"prompt", "responses"}), _verl),
    "messages": (({"messages"},), _messages),
    "trl": (({"prompt", "completion"},), _trl),
    "own": ((), _own),
}
FORMATS = {name: reader for name, (_, reader) in _KNOWN.items()}


def _format_of(row: Row, layout: Layout) -> str:
    if "completion" in layout.fields or ("completion" in row and ("id" in row or "problem" in row)):
        return "own"
    return next((name for name, (known, _) in _KNOWN.items() if any(names <= row.keys() for names in known)), "own")


def _files(path: Path) -> list[Path]:
    """The file, or those of a folder: of lm-evaluation-harness and lighteval the samples alone, not the results."""
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and ending_of(file) in ENDINGS)
    samples = [file for file in files if file.name.startswith(("samples_", "details_"))]
    if not files:
        raise BadData(
            f"{path}: must be a file of completions, or a folder of them, with an ending of {', '.join(ENDINGS)}."
        )
    return samples or files


def _language_of(file: Path) -> str | None:
    """By the name of a task, or by a name that is nothing but a language (`fr.jsonl`): others name models (`9b-it`)."""
    stem = re.sub(r"(\.gz)?$", "", file.name.lower())
    stem = file.name[: len(stem) - len(ending_of(file))]
    if file.name.startswith(("samples_", "details_")) or re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z]{2,4})?", stem):
        return language_in(stem)
    return None


def _texts(row: Row, value: Any) -> list[Any]:
    """The completions in a field: a text, a list of texts (or of lists of them), or a chat."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "role" in item for item in value):
        return [joined(value[-1])]
    if isinstance(value, list):
        return [text for item in value for text in _texts(row, item)]
    if any(name in row for name in REASONING):
        return [joined(row)]
    return [value]


def _prompt(own: Row, prompt: Any) -> Row:
    """The prompt as a text, and the id that it gives a row without one."""
    if isinstance(prompt, list):
        turns = [turn for turn in prompt if isinstance(turn, dict) and turn.get("role") == "user"]
        prompt = turns[-1].get("content") if turns else None
    if isinstance(prompt, list):
        prompt = "".join(str(part.get("text") or "") for part in prompt if isinstance(part, dict))
    return {"prompt": prompt} if isinstance(prompt, str) and prompt.strip() else {}


def _listed(value: Any) -> list[Any]:
    """A list; one that was written out as text (older details of lighteval) is read, and a single value is one entry."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return [value]
    return value if isinstance(value, list) else [] if value is None else [value]


def at(row: Row, place: str) -> Any:
    """What stands at `place` in a row, dots leading into objects; a column of just that name goes before. None: nothing."""
    if place in row:
        return row[place]
    value: Any = row
    for name in place.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value

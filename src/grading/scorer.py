"""The package `reasoning-gym` at work: its questions by task, seed and index, and its scorers' verdicts. Only ever in a child process.

`python -m src.grading.scorer [<folder of the package>]` makes questions: a JSON request comes in on standard input,
{"tasks": [...], "seed": 1, "size": 2, "language": "en"}, and a list of {"name", "index", "question", "answer"} goes out, or a sentence.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import json
import random
import sys
import warnings
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any

from src.grading.guard import guarded
from src.grading.tasks import question_hash, task_of

PACKAGE = "reasoning_gym"


class UnknownTask(ValueError):
    """A task that the package does not have, or not in a language."""


def prepare(gold: str) -> None:
    """Make the question of a gold answer again, so that its scorer is at hand: the package's time, not the answer's.

    Raises:
        Exception: whatever the package raises; ValueError where the question is another than it was.
    """
    _made(gold)


def verdict(gold: str, answer: str) -> str:
    """`right` where the scorer of the task gives the answer 1, otherwise `wrong`.

    Raises:
        Exception: whatever the scorer raises; ValueError where its score is no number from 0 to 1.
    """
    dataset, entry = _made(gold)
    with _silent(), guarded(PACKAGE):
        score = float(dataset.score_answer(answer, copy.deepcopy(entry)))
    if not 0 <= score <= 1:  # NaN neither
        raise ValueError(f"a score must be a number from 0 to 1; got {score}")
    return "right" if score == 1 else "wrong"


@lru_cache(maxsize=64)
def dataset_of(name: str, seed: int, size: int, language: str) -> Any:
    """The package's data set of a task.

    Raises:
        UnknownTask: there is none, or it does not ask in `language`.
        ImportError: the package is not there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = importlib.import_module(PACKAGE)
    known = importlib.import_module(f"{PACKAGE}.factory").DATASETS
    if name not in known:
        raise UnknownTask(f"benchmark.tasks: the package has no task {name!r}. It has {', '.join(sorted(known))}")
    options: dict[str, Any] = {}
    if language != "en":
        if "languages" not in {item.name for item in fields(known[name][1])}:
            raise UnknownTask(
                f"the task {name} of this package asks in English alone; {language} takes the multilingual fork of reasoning-gym"
            )
        options["languages"] = language
    return package.create_dataset(name, seed=seed, size=size, **options)


def entry_of(dataset: Any, seed: int, index: int) -> dict[str, Any]:
    """Question `index`; a few tasks (`list_functions`) draw from the process's own generator too."""
    random.seed(seed + index)
    entry: dict[str, Any] = dataset[index]
    return entry


@lru_cache(maxsize=4096)
def _made(gold: str) -> tuple[Any, dict[str, Any]]:
    task = task_of(gold)
    with _silent():
        dataset = dataset_of(task.name, task.seed, task.size, task.language)
        entry = entry_of(dataset, task.seed, task.index)
    if question_hash(entry["question"]) != task.question or entry["answer"] != task.answer:
        raise ValueError(
            f"question {task.index} of {task.name} is another than it was: another version of the package?"
        )
    return dataset, entry


def _rows(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in request["tasks"]:
        dataset = dataset_of(name, request["seed"], request["size"], request["language"])
        for index in range(request["size"]):
            entry = entry_of(dataset, request["seed"], index)
            yield {"name": name, "index": index, "question": entry["question"], "answer": entry["answer"]}


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """What the package prints is no line of the protocol."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def main(folder: str | None) -> int:
    """Answer the request on standard input; the exit code is 1 where the answer is a sentence."""
    add_folder(folder)
    answer: object
    try:
        with _silent():
            answer = list(_rows(json.load(sys.stdin)))
    except ImportError as error:
        answer = f"missing: {error}"
    except Exception as error:
        answer = str(error) if isinstance(error, UnknownTask) else f"{type(error).__name__}: {error}"
    print(json.dumps(answer))
    return 1 if isinstance(answer, str) else 0


def add_folder(folder: str | None) -> None:
    """Look for the package in `folder` too, after what is installed: nothing of ours is to come from there."""
    if folder:
        sys.path.append(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))

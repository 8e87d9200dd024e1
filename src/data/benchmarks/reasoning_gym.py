"""Reasoning Gym: over 100 tasks beyond mathematics, whose questions a seed makes and whose own scorers judge.

Read from the package `reasoning-gym` (Apache-2.0) where it is installed, or from its unpacked wheel; nothing of it comes with this
repository. Its code runs in child processes alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.data.benchmarks.base import Benchmark, content_hash
from src.data.readers import BadData
from src.data.records import Question
from src.grading.tasks import KIND, Task, question_hash
from src.language.table import LANGUAGES

if TYPE_CHECKING:
    from src.data.world.spec import WorldSpec

PACKAGE = "reasoning_gym"
MOST = 1_000_000
# A question depends on seed + index alone, so that neighbouring seeds share questions: splits are far apart.
SPLITS = {"test": 0, "dev": MOST, "train": 2 * MOST}
_ROOT = Path(__file__).resolve().parents[3]
_SECONDS = 1800


@dataclass(frozen=True)
class ReasoningGym(Benchmark):
    """`size` questions of each of `tasks`, by `seed`; `path` is the folder that the wheel is unpacked into.

    Questions are in English; `translations` are the languages asked of the multilingual fork, in which a problem is parallel.
    A part is a task, so that averages give every task the weight that `weights` says.
    """

    tasks: list[str] = field(default_factory=lambda: ["chain_sum", "letter_counting", "spell_backward", "word_sorting"])
    seed: int = 1
    size: int = 50
    translations: list[str] = field(default_factory=list)

    def languages(self) -> tuple[str, ...]:
        return ("en", *self.translations)

    def splits(self) -> tuple[str, ...]:
        return tuple(SPLITS)

    def questions(self, split: str, languages: Sequence[str], world: WorldSpec, problems: int | None) -> list[Question]:
        seed = self.seed + SPLITS[split]
        return [
            _question(row, seed, self.size, code)
            for code in languages
            for row in self._ask({"tasks": list(self.tasks), "seed": seed, "size": self.size, "language": code})
        ]

    def violations(self) -> list[str]:
        violations = super().violations()
        if not self.tasks or len(set(self.tasks)) < len(self.tasks):
            violations.append(f"benchmark.tasks must be names of tasks, each once; got {list(self.tasks)}")
        if not 1 <= self.size <= MOST:
            violations.append(f"benchmark.size must be from 1 to {MOST:,} questions a task; got {self.size}")
        if self.seed < 0:
            violations.append(f"benchmark.seed must be at least 0; got {self.seed}")
        if unknown := sorted(set(self.translations) - (set(LANGUAGES) - {"en"})):
            violations.append(
                f"benchmark.translations must be codes of languages other than English; got {', '.join(unknown)}"
            )
        return violations

    def fingerprint(self) -> str:
        if self.completions is not None:
            return super().fingerprint()
        asked = f"{' '.join(self.tasks)} seed {self.seed} size {self.size}"
        if self.path is not None:
            folder = Path(self.path) / PACKAGE
            return f"{type(self).__name__} {asked} files {content_hash(folder) if folder.is_dir() else None}"
        try:
            version = metadata.version("reasoning-gym")
        except metadata.PackageNotFoundError:  # the run says so when it reads the questions
            version = "none"
        return f"{type(self).__name__} {asked} version {version}"

    def _ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows that the package makes, in a process of its own: it may change what is random here.

        Raises:
            BadData: it is not there, or made none.
        """
        command = [sys.executable, "-m", "src.grading.scorer", *([self.path] if self.path else [])]
        # The order of sets is the same as in the workers that grade.
        environment = os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0"}
        try:
            done = subprocess.run(
                command,
                input=json.dumps(request),
                capture_output=True,
                text=True,
                check=False,
                env=environment,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise BadData(
                f"reasoning-gym made no questions in {_SECONDS} s; lower benchmark.size or drop a task"
            ) from None
        if not done.stdout:
            last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise BadData(f"reasoning-gym made no questions: {last:.300}")
        answer = json.loads(done.stdout)
        if isinstance(answer, str):
            if answer.startswith("missing: "):
                raise BadData(
                    f"the package reasoning-gym must be installed for benchmark=reasoning_gym (`pip install reasoning-gym`), or "
                    f"benchmark.path be the folder that its wheel and those it needs are unpacked into; {answer[9:]}"
                )
            raise BadData(f"reasoning-gym made no questions: {answer:.3000}")
        rows: list[dict[str, Any]] = answer
        return rows


def _question(row: dict[str, Any], seed: int, size: int, code: str) -> Question:
    """The question of a row.

    Raises:
        BadData: the task has no answer of its own, against which its scorer could be checked.
    """
    name, index, text, answer = row["name"], row["index"], row["question"], row["answer"]
    if not isinstance(answer, str) or not answer.strip():
        raise BadData(
            f"benchmark.tasks: question {index} of {name} comes without an answer of its own, so that nobody can tell whether its "
            "scorer can be satisfied. Drop the task"
        )
    gold = Task(name, seed, size, index, code, question_hash(text), answer).gold()
    return Question(f"{name}-{seed}-{index}", code, text, gold, kind=KIND, part=name)

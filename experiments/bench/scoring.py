"""Scoring saved completions: ours beside the approach of the released scorer, and grading beside math-verify.

12,000 completions (12 languages x 250 problems x 4) of about 1,000 characters, put together at random from real
sentences (`--mgsm-rev2 DIR`, the folder of its files) or, without them, from those of the embedded world. The released
approach: one process; for each completion math-verify on gold and answer, lingua on the raw trace, on every line, and
its detection of multiple languages. Ours: every metric of the evaluation, those and the corrected ones, on all cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from src.data.benchmarks.mgsm_rev2 import MgsmRev2
from src.data.completions import Completion, read_completions
from src.data.records import Question
from src.data.world import documents
from src.data.world.spec import WorldSpec
from src.grading.grader import Grader, GraderSpec
from src.grading.published import published_answers
from src.language.detector import DetectorSpec
from src.language.mathematics import strip_mathematics
from src.language.table import EVALUATED, LANGUAGES, language
from src.language.trace import split_trace
from src.rollout.judge import Judge

PROBLEMS = 250
SAMPLES = 4
CHARACTERS = 1_000
PART = 250  # completions that are judged at a time
JUDGE: Judge  # of this process
FIELDS = ("correct", "consistent", "line_pass", "word_pass", "code_switched")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])\s*")


def questions(folder: str | None) -> list[Question]:
    """250 questions in each of the 12 languages."""
    if folder:
        return MgsmRev2(path=folder).questions("test", EVALUATED, WorldSpec(), None)
    return documents.evaluation(WorldSpec(), "test", list(EVALUATED), PROBLEMS)


def completions(questions: list[Question], generator: random.Random) -> list[dict[str, Any]]:
    """Lines of one or two sentences, one in eight with a formula; one trace in ten holds an English line."""
    sentences = {
        code: [part for row in questions if row.language == code for part in _SENTENCE.split(row.question) if part]
        for code in EVALUATED
    }
    rows = []
    for question in questions:
        own = sentences[question.language]
        for sample in range(SAMPLES):
            lines: list[str] = []
            while sum(map(len, lines)) < CHARACTERS - 150:
                line = " ".join(generator.choice(own) for _ in range(generator.choice((1, 2))))
                lines.append(
                    line + (f" $ {generator.randint(2, 99)} \\times 7 $" if generator.random() < 0.125 else "")
                )
            if generator.random() < 0.1:
                lines.insert(generator.randrange(len(lines)), generator.choice(sentences["en"]))
            gold = question.gold.replace(",", "")
            answer = gold if generator.random() < 0.7 else str(generator.randint(1, 500))
            if generator.random() < 0.05:
                answer = f"\\frac{{{2 * int(float(answer))}}}{{2}}"
            close = "\n</think>\n" if generator.random() < 0.97 else ""
            text = "\n".join(lines) + (f"{close}{generator.choice(own)} $\\boxed{{{answer}}}$" if close else "")
            rows.append(
                {
                    "id": question.problem,
                    "language": question.language,
                    "completion": text,
                    "gold": question.gold,
                    "sample": sample,
                }
            )
    return rows


def released(rows: list[Completion]) -> list[tuple[bool, ...]]:
    """FIELDS of each completion, one after the other."""
    from lingua import Language, LanguageDetectorBuilder
    from math_verify import parse, verify

    names = {getattr(Language, LANGUAGES[code].iso): code for code in EVALUATED}
    lingua = LanguageDetectorBuilder.from_languages(*names).build()
    two_latin = re.compile("[A-Za-z]{2}")
    not_latin = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
    verdicts: list[tuple[bool, ...]] = []
    for row in rows:
        split = split_trace(row.text)
        code = row.question.language
        trace = split.think if split.closed else ""
        boxes = [box for box in published_answers(row.text) if box]
        correct = any(verify(parse(row.question.gold), parse(box)) for box in boxes)
        detected = names.get(lingua.detect_language_of(trace))
        passing = True
        for line in trace.split("\n"):
            stripped = strip_mathematics(line)
            if stripped and names.get(lingua.detect_language_of(stripped), code) != code:
                passing = False
        stripped = strip_mathematics(trace)
        wrong = (not_latin if language(code).latin else two_latin).search(stripped)
        several = {run.language for run in lingua.detect_multiple_languages_of(stripped)} if stripped else set()
        verdicts.append((correct, detected == code, passing, wrong is None, len(several) > 1))
    return verdicts


def load() -> None:
    """Load the models of lingua in this process: their second is timed with the whole command."""
    global JUDGE
    JUDGE = Judge(DetectorSpec(), GraderSpec(), thinks=True)
    row = Question("", "fr", "", "1")
    JUDGE([row], ["Il y a deux pommes de plus que de poires.</think>\\boxed{1}"], [None], [False])
    JUDGE.published([row], ["Il y a deux pommes de plus.\nThere are two apples.</think>\\boxed{1}"], EVALUATED)


def ours(rows: list[Completion]) -> list[tuple[bool, ...]]:
    """FIELDS of each completion, beside all corrected metrics."""
    questions = [row.question for row in rows]
    texts = [row.text for row in rows]
    JUDGE(questions, texts, [None] * len(rows), [False] * len(rows))
    return [tuple(row[f"published_{name}"] for name in FIELDS) for row in JUDGE.published(questions, texts, EVALUATED)]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def grading() -> None:
    """Answers a second: plain integers, and formulas beside math-verify in this process."""
    from math_verify import parse, verify

    generator = random.Random(0)
    with Grader(GraderSpec()) as grader:
        texts = [f"</think>The answer is $\\boxed{{{generator.randrange(10**6)}}}$." for _ in range(50_000)]
        golds = [str(generator.randrange(10**6)) for _ in texts]
        _, seconds = timed(lambda: grader.grade(texts, golds, ["sw"] * len(texts)))
        print(f"grading, plain integers: {len(texts) / seconds:,.0f} answers/s (target 20,000)")
        pairs = []
        for _ in range(600):
            a = generator.randint(2, 99)
            b = generator.randint(2, 99)
            c = generator.randint(2, 9)
            kinds = (
                (f"\\frac{{{a}\\sqrt{{{b}}}}}{{{c}}}", f"\\frac{{{a}}}{{{c}}}\\sqrt{{{b}}}"),
                (f"{a}x+{b}", f"{b}+{a}x"),
                (f"{a}\\pi", f"\\pi\\cdot{a}"),
                (f"{a}^{{{c}}}+x", f"x+{a}^{{{c}}}"),
            )
            pairs.append(generator.choice(kinds))
        grader.grade(["</think>\\boxed{\\sqrt{4}}"], ["2"])  # start the worker
        same, seconds = timed(
            lambda: grader.grade([f"</think>\\boxed{{{a}}}" for _, a in pairs], [g for g, _ in pairs])
        )
    theirs, their_seconds = timed(lambda: [verify(parse(f"${g}$"), parse(f"${a}$")) for g, a in pairs])
    agree = sum((grade.status.value == "right") == bool(other) for grade, other in zip(same, theirs, strict=True))
    print(
        f"grading, formulas: {len(pairs) / seconds:,.0f} pairs/s in one worker, math-verify "
        f"{len(pairs) / their_seconds:,.0f} in this process; {agree} of {len(pairs)} verdicts agree"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mgsm-rev2", help="folder with its files; without it the embedded world's sentences are used")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    grading()
    saved = completions(questions(options.mgsm_rev2), random.Random(0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "completions.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in saved), encoding="utf-8")
        rows = read_completions(path)
        mean = sum(len(row.text) for row in rows) / len(rows)
        print(
            f"scoring: {len(rows):,} completions of {mean:.0f} characters, sentences of {'MGSM-Rev2' if options.mgsm_rev2 else 'the embedded world'}"
        )
        theirs, their_seconds = timed(lambda: released(rows))
        n = options.processes
        parts = [rows[start : start + PART] for start in range(0, len(rows), PART)]
        # As in the evaluation, a process keeps to its languages, whose words it remembers: a chunk is a language.
        with multiprocessing.get_context("spawn").Pool(n, initializer=load) as pool:
            pool.map(len, [[]] * 8 * n, chunksize=1)  # until all processes have loaded
            time.sleep(3)
            results, seconds = timed(lambda: pool.map(ours, parts, chunksize=PROBLEMS * SAMPLES // PART))
        own = [verdicts for part in results for verdicts in part]
        command = [
            sys.executable,
            "-m",
            "src.run",
            "+experiment=evaluate",
            f"benchmark.completions={path}",
            f"root={folder}/runs",
            f"distributed.processes={n}",
        ]
        _, whole = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    print(f"  released approach, 1 process: {their_seconds:.1f} s")
    print(f"  ours, {n} processes: {seconds:.1f} s, {their_seconds / seconds:.1f} times faster")
    print(
        f"  the whole command (start, scoring, records, tables, pictures): {whole:.1f} s, {their_seconds / whole:.1f} times faster"
    )
    for place, name in enumerate(FIELDS):
        different = [i for i, (a, b) in enumerate(zip(theirs, own, strict=True)) if a[place] != b[place]]
        rates = [sum(row[place] for row in verdicts) / len(rows) for verdicts in (theirs, own)]
        print(
            f"  as published, {name}: {len(rows) - len(different)} of {len(rows)} the same, rates "
            f"{rates[0]:.4f} and {rates[1]:.4f}"
        )


if __name__ == "__main__":
    main()

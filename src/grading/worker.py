"""A process that compares answers by algebra: `python -m src.grading.worker <megabytes> <seconds> <packages>`.

One JSON list [gold, answer, language, kind] a line comes in, one JSON word goes out: right, wrong, unparsed or error. A
task that takes more processor time than that ends the process (SIGPROF), as does more memory; so does, after a while, a
parent that is gone. Text is only ever read as LaTeX: math-verify's reader of Python expressions, which evaluates what it
reads, is left out.
"""

from __future__ import annotations

import json
import signal
import sys

from src.grading.compare import compare
from src.grading.pool import GRACE, PATIENCE
from src.grading.scorer import add_folder, prepare, verdict
from src.grading.tasks import KIND

ORPHANED = 10  # seconds past the parent's patience after which only a parent that died explains the wait
FULL = 0.6  # share of the memory limit above which a worker asks to be replaced


def _megabytes() -> float:
    """The most memory this process has held."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main(megabytes: int, seconds: float = 60.0, packages: str = "") -> None:
    add_folder(packages)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    except (ImportError, ValueError):
        pass  # no such limit on this system; the parent's time limit stands
    from math_verify import LatexExtractionConfig, parse, verify

    from src.grading.formula import compare_formulas

    def read(text: str) -> list[object]:
        # Time is kept above: math-verify's own alarm would cost 5 s each and misfire outside main threads.
        return list(
            parse(f"${text}$", extraction_config=[LatexExtractionConfig()], parsing_timeout=None, raise_on_error=True)
        )

    def as_published(gold: str, answer: str) -> str:
        wanted, given = read(gold), read(answer)
        if not wanted or not given:
            return "unparsed"
        return "right" if verify(wanted, given, timeout_seconds=None, raise_on_error=True) else "wrong"

    formulas = {"published": as_published, KIND: verdict}
    compare_formulas("x^{2}", "1")  # the first use loads grammars: not on a task's time
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        signal.alarm(int(PATIENCE * seconds + GRACE) + ORPHANED)
        try:
            gold, answer, language, kind = json.loads(line)
            if kind == KIND:
                prepare(gold)  # before the answer's time begins
            # No handlers: they end the process, even in the middle of a long product.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            status = compare(gold, answer, language, kind, formulas.get(kind, compare_formulas))
        except Exception:  # whatever sympy raises on hostile text is a fact about the text
            status = "error"
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        # sympy remembers what it was given, giants too: a process that has grown is to be replaced.
        print(json.dumps([status, "full"] if _megabytes() > megabytes * FULL else status), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])

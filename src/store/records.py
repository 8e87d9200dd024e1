"""The columns of rollouts and of evaluation records: name, type, meaning. Parquet files, W&B tables and docs/records.md
are made from them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.common.files import replace_durably
from src.rewards.base import Sample

if TYPE_CHECKING:
    import pyarrow

Row = dict[str, Any]
NOTES = "notes"  # in the metadata of records: sentences for their reader
SEEN = "seen_languages"  # there, too: languages that the model has seen in training, null where that is unknown
PART = "reward_"  # before the name of a part of a composed reward


@dataclass(frozen=True)
class Column:
    """`type` is `string`, `strings` (a list of them), `bool`, `int64` or `float64`; any value may be null. `in_tables`:
    whether W&B's table of rollouts shows it."""

    name: str
    type: str
    meaning: str
    in_tables: bool = False


_SAMPLE = (
    Column("completion", "string", "The text after the prompt, without the end token.", in_tables=True),
    Column("gold", "string", "The gold answer.", in_tables=True),
    Column("answer", "string", "The answer that was read, normalised; null where there is none.", in_tables=True),
    Column("rule", "string", "The rule of extraction that found the answer."),
    Column("status", "string", "right, wrong, unparsed, timeout or error.", in_tables=True),
    Column("correct", "bool", "The status is right.", in_tables=True),
    Column(
        "detected", "string", "Language of the trace; `other`: none of the detector's; null: unknown.", in_tables=True
    ),
    Column("in_language", "bool", "The trace is closed and in the language of the query.", in_tables=True),
    Column("right_and_in_language", "bool", "Both correct and in_language."),
    Column(
        "line_pass", "bool", "The trace is closed and every sentence with a known language is in that of the query."
    ),
    Column("word_pass", "bool", "The trace is closed and has no word in another script, names and units aside."),
    Column("code_switched", "bool", "Sentences of the trace are in two or more languages."),
    Column("switches", "strings", "Where the language changes: `<character> <left>><entered>`."),
    Column("sentences", "int64", "Sentences of the trace with a known language."),
    Column("foreign_script", "float64", "Share of the trace's letters in another script than the query's."),
    Column(
        "answer_detected",
        "string",
        "Language of the text after the trace, or `other`; null: unknown, or only a formula.",
    ),
    Column(
        "trace_follows",
        "bool",
        "The trace is in the language of the query; null: there is none, or its language cannot be told.",
    ),
    Column("answer_follows", "bool", "So is the text after the trace; null: there is none, or only a formula."),
    Column(
        "follows",
        "bool",
        "Trace and answer follow, an answer without a language aside; null: a part is not there, or the trace cannot be told.",
    ),
    Column("tokens", "int64", "Length with the end token; null where nobody counted.", in_tables=True),
    Column("truncated", "bool", "Cut off by the token budget.", in_tables=True),
)

ROLLOUTS = (
    Column("step", "int64", "GRPO step, from 1.", in_tables=True),
    Column("group", "int64", "Number of the prompt within the step."),
    Column("problem", "string", "Id of the problem, shared by its translations."),
    Column("language", "string", "Language of the query.", in_tables=True),
    Column("question", "string", "The question.", in_tables=True),
    *_SAMPLE,
    Column("unknown", "bool", "The language of the trace is unknown."),
    Column("reward", "float64", "r before any language term; null where the reward does not apply.", in_tables=True),
    Column("advantage", "float64", "What the rollout was trained with.", in_tables=True),
    Column("base_advantage", "float64", "What the advantage would be without the alignment term."),
    Column("alignment_term", "float64", "B g m times its coefficient; 0 where the term does not act.", in_tables=True),
    Column("diversity_term", "float64", "(n / n_lang - 1) d times its coefficient; 0 where the term does not act."),
    Column("score", "float64", "Reward with the terms that act on it, before normalisation."),
    Column("language_term_change", "float64", "|advantage - base_advantage|."),
    Column("alignment_factor", "float64", "B g: what a matching rollout is offered.", in_tables=True),
    Column("logprob_mean", "float64", "Mean log-probability of the tokens, as sampled; nats."),
    Column("logprob_min", "float64", "The smallest of them; nats."),
    Column("sampler_gap", "float64", "Mean |log sampler - log trainer| a token, nats; null where it was not probed."),
    Column("sampler_gap_max", "float64", "The largest of these differences; nats."),
    Column(
        "trained", "bool", "Whether the update had this rollout; without it the columns below are null.", in_tables=True
    ),
    Column("entropy", "float64", "Entropy of the policy, token mean; nats."),
    Column("kl", "float64", "Divergence from the reference policy, token mean; nats. Null without a reference."),
    Column("approximate_kl", "float64", "Mean log old - log new a token; nats."),
    Column("clip_fraction", "float64", "Share of tokens whose ratio is clipped."),
    Column("ratio_max", "float64", "Largest new / old token probability, before clipping."),
    Column("ratio_min", "float64", "Smallest new / old token probability, before clipping."),
    Column("sampler_kl", "float64", "Mean log sampler - log trainer a token, nats (with importance_cap)."),
    Column("importance_capped", "float64", "Share of tokens at importance_cap or above (with importance_cap)."),
    Column("counted", "float64", "Share of tokens that count (with top_entropy or off_policy_threshold)."),
)

EVALUATION = (
    Column("split", "string", "Split of the benchmark."),
    Column("part", "string", "Source or difficulty level, where the benchmark weighs those; else empty."),
    Column("problem", "string", "Id of the problem, shared by its translations."),
    Column("language", "string", "Language of the query."),
    Column("sample", "int64", "Number of the completion of this question, from 0."),
    Column("question", "string", "The question; empty for saved completions that do not hold it."),
    *_SAMPLE,
    Column(
        "logprob_mean", "float64", "Mean log-probability of the tokens, as sampled; nats. Null of saved completions."
    ),
    Column("published_correct", "bool", "Right by the evaluation published with AdaMame."),
    Column(
        "published_consistent",
        "bool",
        "The raw trace is detected as the query's language; null where that has no meaning.",
    ),
    Column("published_line_pass", "bool", "Every line is detected as the query's language or as nothing."),
    Column("published_word_pass", "bool", "No word in the wrong script."),
    Column("published_code_switched", "bool", "lingua detects several languages in the trace."),
    Column("published_ttc", "float64", "Characters / 4 / 8192."),
)


def reward_part(name: str) -> Column:
    """The column of a part of a composed reward."""
    return Column(PART + name, "float64", f"Part {name} of the reward, weight included.", in_tables=True)


def rollout_columns(parts: Sequence[str] = ()) -> tuple[Column, ...]:
    """The columns of rollouts whose reward has `parts`, which stand behind it."""
    place = 1 + [column.name for column in ROLLOUTS].index("reward")
    return (*ROLLOUTS[:place], *map(reward_part, parts), *ROLLOUTS[place:])


def of_sample(sample: Sample) -> Row:
    """The columns on a completion and its verdicts; lone surrogates become replacement characters."""
    fidelity = sample.fidelity
    grade = sample.grade
    return {
        "completion": sample.completion.encode(errors="replace").decode(),
        "gold": sample.gold,
        "answer": None if grade.answer is None else grade.answer.encode(errors="replace").decode(),
        "rule": grade.rule,
        "status": grade.status.value,
        "correct": sample.correct,
        "detected": fidelity.detected,
        "in_language": fidelity.in_language,
        "right_and_in_language": sample.correct_in_language,
        "line_pass": fidelity.line_pass,
        "word_pass": fidelity.word_pass,
        "code_switched": fidelity.code_switched,
        "switches": [f"{s.position} {s.left}>{s.entered}" for s in fidelity.switches],
        "sentences": fidelity.sentences,
        "foreign_script": fidelity.foreign_script,
        "answer_detected": fidelity.answer_detected,
        "trace_follows": sample.following.trace,
        "answer_follows": sample.following.answer,
        "follows": sample.following.both,
        "tokens": sample.length,
        "truncated": sample.truncated,
    }


def schema(columns: Sequence[Column]) -> pyarrow.Schema:
    """The columns as a schema of parquet."""
    import pyarrow

    types = {
        "string": pyarrow.string(),
        "strings": pyarrow.list_(pyarrow.string()),
        "bool": pyarrow.bool_(),
        "int64": pyarrow.int64(),
        "float64": pyarrow.float64(),
    }
    return pyarrow.schema([(column.name, types[column.type]) for column in columns])


def table(rows: Sequence[Row], columns: Sequence[Column]) -> pyarrow.Table:
    """The rows as a table of exactly these columns.

    Raises:
        ValueError: a row has other keys than the names of the columns.
    """
    import pyarrow

    names = [column.name for column in columns]
    for row in rows:
        if row.keys() != set(names):
            raise ValueError(
                f"a row must have the columns of src/store/records.py; it differs in {sorted(row.keys() ^ set(names))}"
            )
    return pyarrow.Table.from_pylist(list(rows), schema=schema(columns))


def write_table(path: Path, content: pyarrow.Table, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a parquet file, whole or not at all; each value of `metadata` is stamped on it as JSON."""
    import pyarrow.parquet

    stamps = {name.encode(): json.dumps(value).encode() for name, value in (metadata or {}).items()}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(content.replace_schema_metadata(stamps), buffer, compression="zstd")
    replace_durably(path, buffer.getvalue())


def read_table(path: Path, columns: Sequence[Column]) -> pyarrow.Table:
    """These columns of a parquet file, in the types they have here, whoever wrote it."""
    import pyarrow.parquet

    wanted = schema(columns)
    return pyarrow.parquet.read_table(path, columns=wanted.names).select(wanted.names).cast(wanted)


def notes_of(path: Path) -> list[str]:
    """The notes stamped on a parquet file of records."""
    import pyarrow.parquet

    stamped = (pyarrow.parquet.read_schema(path).metadata or {}).get(NOTES.encode())
    return [str(line) for line in json.loads(stamped)] if stamped else []


def seen_of(paths: Iterable[Path]) -> list[str] | None:
    """The languages that a model, or one of a few seeds, has seen in training, as stamped on its files of records; None
    where a file does not tell."""
    import pyarrow.parquet

    languages: set[str] = set()
    for path in paths:
        stamped = (pyarrow.parquet.read_schema(path).metadata or {}).get(SEEN.encode())
        codes = json.loads(stamped) if stamped else None
        if codes is None:
            return None
        languages |= set(codes)
    return sorted(languages)


def page() -> str:
    """The documentation of all columns, as markdown."""
    lines = [
        "# Columns of rollouts and records",
        "",
        "Made from `src/store/records.py` by `make records-doc`. Any value may be null. Columns marked * are in W&B's table of",
        "rollouts. A composed reward adds `reward_<part>` for each of its parts, weight included.",
    ]
    files = {
        "`<run>/grpo/rollouts/step-*.parquet`, a row for each rollout; written by stage grpo": ROLLOUTS,
        "`<run>/evaluate/records.parquet`, a row for each completion; written by stage evaluate": EVALUATION,
    }
    for title, columns in files.items():
        lines += ["", f"## {title}", "", "| column | type | meaning |", "|---|---|---|"]
        lines += [
            f"| `{column.name}`{'*' * column.in_tables} | {column.type} | {column.meaning.replace('|', chr(92) + '|')} |"
            for column in columns
        ]
    return "\n".join(lines) + "\n"

"""Results in the form of lm-evaluation-harness: values worked out by hand, and that they are read back to the same verdicts."""

import json
import math

import pandas
import pytest

from src.analysis.run_values import run_values
from src.pipeline.execute import execute
from src.reporting.portable import results_of, samples_of, standard_error, task_name, write_portable
from src.store.directory import Run
from src.store.records import EVALUATION, table, write_table
from tests.helpers.configs import prepare

CONFIG = {
    "benchmark": {
        "_target_": "src.data.benchmarks.msvamp.Msvamp",
        "source": "hub:owner/name",
        "revision": "a" * 40,
        "path": None,
        "completions": None,
        "weights": {},
    },
    "model": {"path": "/data/models/tiny", "dtype": "float32"},
    "world": {"name": "small"},
    "rollout": {"engine": "hf", "temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "maximum_new_tokens": 64},
    "evaluation": {"samples": 2, "problems": 3, "temperature": 0.6, "top_p": None},
}
FRENCH = "D'abord, nous multiplions les deux longueurs pour obtenir la surface du jardin."
ENGLISH = "First we multiply the two lengths to get the area of the garden."


def row(problem, code, sample, correct, inside, **more):
    values = {
        "split": "test",
        "part": "",
        "problem": problem,
        "language": code,
        "sample": sample,
        "question": f"Combien font {problem} ?",
        "completion": f"{problem}-{code}-{sample}",
        "gold": "12",
        "answer": "12" if correct else None,
        "correct": correct,
        "in_language": inside,
        "right_and_in_language": correct and inside,
        "line_pass": True,
        "word_pass": True,
        "code_switched": False,
        "tokens": 10,
        "truncated": False,
        "foreign_script": 0.0,
    }
    return dict.fromkeys(column.name for column in EVALUATION) | values | more


def run_of(folder, rows, config=CONFIG):
    path = folder / "records.parquet"
    write_table(path, table(rows, EVALUATION), {"scoring": {"scoring rule": "3"}})
    (folder / "config.yaml").write_text(json.dumps(config))
    return Run("grpo", 4, path, None, None, folder / "config.yaml")


# French: p0 both right, p1 one of two right, p2 none. English: p0 alone of the three is right, in all samples.
ROWS = [
    row(f"p{number}", code, sample, right(number, sample), number < 2)
    for code, right in (("fr", lambda n, s: n == 0 or (n == 1 and s == 0)), ("en", lambda n, s: n == 0))
    for number in range(3)
    for sample in range(2)
]


def test_values_are_means_over_problems_with_their_standard_errors(tmp_path):
    made = results_of(run_of(tmp_path, ROWS), CONFIG)
    assert list(made["results"]) == ["msvamp_test_fr", "msvamp_test_en"]
    french, english = made["results"].values()
    assert french["alias"] == "msvamp_test_fr"
    assert french["exact_match,none"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert french["exact_match_stderr,none"] == pytest.approx(
        0.5 / math.sqrt(3)
    )  # sample deviation of 1, 0.5, 0 is 0.5
    assert english["exact_match,none"] == pytest.approx(1 / 3)
    assert english["exact_match_stderr,none"] == pytest.approx(1 / 3)  # sqrt((4 + 1 + 1) / 9 / 2 / 3)
    assert french["in_language,none"] == pytest.approx(2 / 3)
    assert french["tokens,none"] == 10 and french["tokens_stderr,none"] == 0
    values = run_values(tmp_path / "records.parquet", 64)
    assert french["right_and_in_language,none"] == pytest.approx(values["test/right_and_in_language/fr"])
    assert made["n-samples"]["msvamp_test_fr"] == {"effective": 3}
    assert made["n-shot"] == {"msvamp_test_fr": 0, "msvamp_test_en": 0}
    assert made["versions"] == {"msvamp_test_fr": 3, "msvamp_test_en": 3}
    assert made["config"]["model_args"]["pretrained"] == "tiny"  # not where it lies
    assert made["config"]["limit"] == 3 and made["config"]["random_seed"] == 4
    assert made["configs"]["msvamp_test_fr"]["generation_kwargs"] == {
        "do_sample": True,
        "temperature": 0.6,
        "top_p": 1.0,
        "max_gen_toks": 64,
    }
    assert "date" not in made


def test_averages_over_languages_are_groups_with_and_without_english(tmp_path):
    """French is right in 1/2 of the completions, English in 1/3."""
    made = results_of(run_of(tmp_path, ROWS), CONFIG)
    assert list(made["groups"]) == ["msvamp_test", "msvamp_test_non-en"]
    assert made["groups"]["msvamp_test"]["exact_match,none"] == pytest.approx(5 / 12)
    assert made["groups"]["msvamp_test_non-en"]["exact_match,none"] == pytest.approx(1 / 2)
    assert made["groups"]["msvamp_test"]["exact_match_stderr,none"] > 0
    assert made["group_subtasks"]["msvamp_test_non-en"] == ["msvamp_test_fr"]
    assert made["group_subtasks"]["msvamp_test"] == ["msvamp_test_fr", "msvamp_test_en"]
    (tmp_path / "fr").mkdir()
    assert "groups" not in results_of(run_of(tmp_path / "fr", ROWS[:6]), CONFIG)


def test_parts_weigh_as_in_the_tables(tmp_path):
    rows = [row(f"p{n}", "sw", 0, n in (0, 2, 3), True, part="hard" if n == 0 else "easy") for n in range(4)]
    rows += [row("p4", "sw", 0, False, True, part="hard")]
    config = CONFIG | {"benchmark": CONFIG["benchmark"] | {"weights": {"easy": 1.0, "hard": 3.0}}}
    (values,) = results_of(run_of(tmp_path, rows, config), config)["results"].values()
    assert values["exact_match,none"] == pytest.approx((1 * 2 / 3 + 3 * 1 / 2) / 4)
    # Variances 1/3 of three and 1/2 of two problems, weights 1/4 and 3/4.
    assert values["exact_match_stderr,none"] == pytest.approx(math.sqrt((1 / 16) * (1 / 9) + (9 / 16) * (1 / 4)))
    assert standard_error([1.0], [1.0], [""]) is None


def test_a_single_problem_has_no_standard_error_and_uncounted_tokens_no_value(tmp_path):
    made = results_of(run_of(tmp_path, [row("p0", "ko", 0, True, True, tokens=None)]), CONFIG)
    (values,) = made["results"].values()
    assert values["exact_match_stderr,none"] == "N/A"
    assert not any(name.startswith("tokens") for name in values)


def test_a_sample_holds_the_completions_of_a_problem(tmp_path):
    samples = list(samples_of(run_of(tmp_path, ROWS).records, CONFIG))
    assert [(s["doc"]["language"], s["doc_id"]) for s in samples] == [(c, n) for c in ("fr", "en") for n in range(3)]
    second = samples[1]
    assert second["resps"] == [["p1-fr-0", "p1-fr-1"]] and second["filtered_resps"] == [["12", "[invalid]"]]
    assert second["exact_match"] == 0.5 and second["scores_per_repeat"]["exact_match"] == [1.0, 0.0]
    assert second["target"] == "12" and second["doc"]["answer"] == "12"
    assert second["arguments"]["gen_args_0"]["arg_0"] == "Combien font p1 ?"


def test_records_in_any_order_give_the_same_samples(tmp_path):
    by_sample = sorted(ROWS, key=lambda values: (values["sample"], values["language"] != "fr"))
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = samples_of(run_of(tmp_path / "one", ROWS).records, CONFIG)
    assert list(samples_of(run_of(tmp_path / "other", by_sample).records, CONFIG)) == list(one)


def test_many_rows_are_read_in_batches(tmp_path):
    rows = [row(f"p{number:05d}", code, 0, number % 2 == 0, True) for code in ("th", "de") for number in range(700)]
    samples = list(samples_of(run_of(tmp_path, rows).records, CONFIG))
    assert [sample["doc_id"] for sample in samples] == [*range(700), *range(700)]
    assert all(sample["resps"] == [[f"{sample['doc']['id']}-{sample['doc']['language']}-0"]] for sample in samples)


def test_saved_completions_are_named_after_their_file():
    benchmark = CONFIG["benchmark"] | {
        "_target_": "src.data.benchmarks.world.World",
        "completions": "/x/Qwen3 4B.jsonl",
    }
    assert task_name({"benchmark": benchmark}, "test", "ja") == "qwen3-4b_test_ja"
    assert task_name({"benchmark": CONFIG["benchmark"] | {"completions": "/x/a.jsonl"}}, "dev", "ja") == "msvamp_dev_ja"


def scored(folder, path, *more):
    folder.mkdir()
    arguments = (
        f"benchmark.completions={path}",
        f"root={folder / 'runs'}",
        "distributed.processes=1",
        "model.path=/nowhere",
    )
    built, directory = prepare(folder, "+experiment=evaluate", *arguments, *more)
    execute(built, directory, directory / "config.yaml")
    return directory


def test_samples_are_read_back_to_the_same_verdicts(tmp_path):
    texts = {
        "fr": (f"{FRENCH}</think>\\boxed{{1 200,5}}", f"{ENGLISH}</think>\\boxed{{1200.5}}"),
        "en": (f"{ENGLISH}</think>\\boxed{{7}}", "We never close \ud83d\ude42 \u2028 </b> this"),
    }
    lines = [
        {"id": name, "language": code, "split": split, "completion": text, "gold": "1200.5"}
        for text_number in (0, 1)  # all first samples stand before all second ones
        for split in ("test", "dev")
        for code in ("fr", "en")
        for name, text in ((f"{split}-a", texts[code][text_number]), (f"{split}-b", texts[code][1 - text_number]))
    ]
    choices = (("c", "B. Paris, therefore \\boxed{B}"), ("d", "Not B but \\boxed{C}"))
    lines += [
        {
            "id": f"choice-{name}",
            "language": code,
            "completion": f"{FRENCH}</think>{text}",
            "gold": "B",
            "kind": "choice",
        }
        for name, text in choices
        for code in ("fr", "en")
        for _ in range(2)
    ]
    path = tmp_path / "Saved answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    first = scored(tmp_path / "first", path)
    written = sorted((first / "report").glob("samples_*.jsonl"))
    assert [file.name for file in written] == [
        f"samples_saved-answers_{split}_{code}.jsonl" for split in ("dev", "test") for code in ("en", "fr")
    ]
    second = scored(tmp_path / "second", first / "report")
    keys = ["split", "language", "problem", "sample"]
    one, other = (
        pandas.read_parquet(run / "evaluate" / "records.parquet").sort_values(keys, ignore_index=True)
        for run in (first, second)
    )
    pandas.testing.assert_frame_equal(one, other)
    assert one["correct"].any() and not one["correct"].all() and one["in_language"].any()


def test_a_rerun_writes_the_same_bytes_and_no_stale_task(tmp_path):
    run = run_of(tmp_path, ROWS)
    output = tmp_path / "report"
    output.mkdir()
    (output / "samples_msvamp_test_xx.jsonl").write_text("{}\n")
    write_portable(output, run)
    first = {file.name: file.read_bytes() for file in output.iterdir()}
    write_portable(output, run)
    assert {file.name: file.read_bytes() for file in output.iterdir()} == first
    assert sorted(first) == ["results.json", "samples_msvamp_test_en.jsonl", "samples_msvamp_test_fr.jsonl"]

    def no_constant(name):
        raise AssertionError(name)

    json.loads(first["results.json"], parse_constant=no_constant)
    for line in first["samples_msvamp_test_fr.jsonl"].splitlines():
        json.loads(line, parse_constant=no_constant)

"""Two finished runs beside each other: what is found, paired, printed and written, and what is refused."""

import csv

import pandas
import pytest
from pyarrow import parquet

from src.commands.compare import main
from src.store.finished import find
from tests.helpers.stamps import stamp_seen


def make_run(folder, right, split="test", config="benchmark: {weights: {}}\n", samples=1, seen=None, **columns):
    """A finished run: right[language] says which of its problems are right."""
    (folder / "evaluate").mkdir(parents=True)
    (folder / "config.yaml").write_text(config)
    rows = pandas.DataFrame(
        {
            "split": split,
            "problem": f"p{number}",
            "language": code,
            "correct": bool(value),
            "in_language": True,
            "right_and_in_language": bool(value),
            "line_pass": True,
            "word_pass": True,
            "code_switched": False,
            "tokens": 10 + 4 * value,
            "truncated": False,
            "completion": "[bold]",
        }
        for code, row in right.items()
        for number, value in enumerate(row)
        for _ in range(samples)
    )
    rows.assign(**columns).to_parquet(folder / "evaluate" / "records.parquet")
    stamp_seen(folder / "evaluate" / "records.parquet", seen)
    return folder


@pytest.fixture
def pair(tmp_path):
    """A is right in fr 4 of 4 and en 2 of 4, B in fr 1 of 4 and en 2 of 4."""
    one = make_run(tmp_path / "a" / "seed0", {"fr": [1, 1, 1, 1], "en": [1, 1, 0, 0]}, seen=["fr"])
    return one, make_run(tmp_path / "b" / "seed0", {"fr": [1, 0, 0, 0], "en": [1, 1, 0, 0]}, seen=["fr"])


def table(folder):
    """(domain, metric) -> row of compare.csv."""
    with (folder / "compare.csv").open() as handle:
        return {(row["domain"], row["metric"]): row for row in csv.DictReader(handle)}


def test_the_difference_is_what_a_hand_would_compute(pair, tmp_path, capsys):
    assert main([*map(str, pair), "--output", str(tmp_path / "out")]) == 0
    rows = table(tmp_path / "out")
    fr, en, both = (rows[domain, "accuracy"] for domain in ("seen", "unseen", "all"))
    assert (fr["a"], fr["b"], fr["difference"], fr["p"]) == ("1", "0.25", "0.75", "0.25")  # 3 differ: 2 of 2^3 flips
    assert (en["difference"], en["low"], en["high"], en["p"]) == ("0", "0", "0", "1")
    assert (both["a"], both["b"], both["difference"]) == ("0.75", "0.375", "0.375")
    assert rows["non-en", "accuracy"] == rows["seen", "accuracy"] | {"domain": "non-en"}
    assert (rows["all", "tokens"]["a"], rows["all", "tokens"]["difference"]) == ("13", "1.5")  # 10 + 4 * accuracy
    assert rows["all", "LCPR"]["p"] == ""
    shown, page = capsys.readouterr().out, (tmp_path / "out" / "compare.md").read_text()
    assert "\x1b" not in shown
    for text in (shown, page):
        assert f"A: {pair[0]}" in text
        assert "compared: split test, 4 problems, 2 languages (en, fr), seeds 0" in text
        assert "+0.750" in text and "0.2500" in text
    assert "| all | tokens | 13.0 | 11.5 | +1.5 | [" in page


def test_files_folders_of_seeds_and_single_runs_are_found(tmp_path):
    for seed in ("seed0-12ab34cd", "seed3"):
        make_run(tmp_path / "many" / seed, {"fr": [1, 0]})
    assert list(find(tmp_path / "many")) == [0, 3]
    assert list(find(tmp_path / "many" / "seed3")) == [3]
    assert list(find(tmp_path / "many" / "seed3" / "evaluate" / "records.parquet")) == [3]
    assert list(find(make_run(tmp_path / "mine", {"fr": [1, 0]}))) == [0]


def test_seeds_of_the_same_number_are_pairs_and_the_others_are_told(tmp_path, capsys):
    for seed in (1, 2):
        make_run(tmp_path / "a" / f"seed{seed}", {"fr": [1, 0]})
        make_run(tmp_path / "b" / f"seed{seed + 1}", {"fr": [1, 0, 1]})
    assert main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    shown = capsys.readouterr().out
    assert "2 problems, 1 languages (fr), seeds 2" in shown
    assert "left out, only in A: 1 seeds (1)" in shown
    assert "left out, only in B: 1 problems (p2)" in shown and "left out, only in B: 1 seeds (3)" in shown


def test_two_single_runs_are_a_pair_whatever_their_seeds(tmp_path, capsys):
    one, other = (make_run(tmp_path / name, {"fr": [1, 0]}) for name in ("seed1", "seed2"))
    assert main([str(one), str(other)]) == 0
    assert "seeds 0\n" in capsys.readouterr().out


def test_weights_of_the_parts_come_from_the_configuration(tmp_path, capsys):
    weighted = {"config": "benchmark: {weights: {low: 1, top: 3}}\n", "part": ["low", "low", "top"]}
    one = make_run(tmp_path / "a", {"fr": [1, 0, 1]}, **weighted)
    other = make_run(tmp_path / "b", {"fr": [0, 0, 0]}, **weighted)
    assert main([str(one), str(other), "--metrics", "accuracy", "--output", str(tmp_path)]) == 0
    assert table(tmp_path)["all", "accuracy"]["a"] == "0.875"  # (1 * 1/2 + 3 * 1) / 4
    assert "parts: low weighs 1, top weighs 3" in capsys.readouterr().out
    third = make_run(tmp_path / "c", {"fr": [0, 0, 0]}, part=["low", "low", "top"])
    assert main([str(one), str(third)]) == 2
    assert "must be the same in all runs" in capsys.readouterr().err


def test_pass_at_k_can_be_asked_for(tmp_path):
    one = make_run(tmp_path / "a", {"fr": [0, 0]}, samples=4, correct=[1, 0, 0, 0, 0, 0, 0, 0])
    other = make_run(tmp_path / "b", {"fr": [0, 0]}, samples=4)
    assert main([str(one), str(other), "--metrics", "pass@2", "--output", str(tmp_path)]) == 0
    assert table(tmp_path)["all", "pass@2"]["a"] == "0.25"  # (1/2 + 0) / 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "shift"], "--split must be among test; got 'shift'"),
        (["--metrics", "acuracy"], "Did you mean 'accuracy'?"),
        (["--metrics", "pass@2"], "got k=2 with 1 samples"),
        (["--output", "{file}"], "--output must be a folder"),
    ],
)
def test_mistakes_end_with_one_message(pair, tmp_path, capsys, options, message):
    file = tmp_path / "file"
    file.write_text("")
    assert main([*map(str, pair), *(option.format(file=file) for option in options)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert printed.err.startswith("error: ") and message in printed.err


def test_what_is_no_run_is_refused(pair, tmp_path, capsys):
    def refused(path):
        assert main([str(pair[0]), str(path)]) == 2
        return capsys.readouterr().err

    assert "there is none. Finish its evaluation" in refused(tmp_path / "nowhere")
    text = tmp_path / "text.parquet"
    text.write_text("no parquet")
    assert "must be a parquet file of records" in refused(text)
    pandas.DataFrame({"split": ["test"]}).to_parquet(text)
    assert "must have the column 'problem'" in refused(text)
    make_run(tmp_path / "b" / "seed0-00000001", {"fr": [1]})
    assert "are both 0. Give one" in refused(tmp_path / "b")
    other = make_run(tmp_path / "c", {"fr": [1, 1]}, problem=["x", "y"])
    assert "needs a problem that both methods have" in refused(other)


def test_help_and_a_missing_run_are_answered(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "RUN_A RUN_B" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["one"])
    assert "required: RUN_B" in capsys.readouterr().err


def test_runs_on_other_problems_of_the_same_names_are_refused(tmp_path, capsys):
    one = make_run(tmp_path / "a" / "seed0", {"fr": [1, 0]}, gold="3")
    other = make_run(tmp_path / "b" / "seed0", {"fr": [1, 0]}, gold="4")
    assert main([str(one), str(other)]) == 2
    assert "problem 'p0' in fr has gold '4' there and '3' in another run" in capsys.readouterr().err


def test_records_of_another_scoring_rule_are_told(tmp_path, capsys):
    one, other = (make_run(tmp_path / name / "seed0", {"fr": [1, 0]}) for name in "ab")
    path = other / "evaluate" / "records.parquet"
    stamped = parquet.read_table(path)
    parquet.write_table(stamped.replace_schema_metadata({b"scoring": b"rule 3"}), path)
    assert main([str(one), str(other)]) == 0
    assert "warning: scored by different rules" in capsys.readouterr().out


def test_pairs_of_language_and_data_set_are_counted(tmp_path, capsys):
    # fr: 1 > 1/2 in accuracy and 3/4 > 1/4 in following; en: equal in accuracy.
    one = make_run(tmp_path / "a", {"fr": [1] * 4, "en": [1] * 4}, follows=[True, True, True, False] * 2)
    other = make_run(tmp_path / "b", {"fr": [1, 0, 1, 0], "en": [1] * 4}, follows=[True, False, False, False] * 2)
    assert main([str(one), str(other), "--metrics", "following", "--output", str(tmp_path)]) == 0
    assert table(tmp_path)["all", "following"]["difference"] == "0.5"
    printed = " ".join(capsys.readouterr().out.split())
    assert "A strictly dominates B in 1 [0, 1]; A is strictly dominated by B in 0 [0, 0] of 2 languages" in printed
    with (tmp_path / "dominance.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert {(row["data set"], row["language"], row["verdict"]) for row in rows} == {
        ("test", "fr", "dominates"),
        ("test", "en", "neither"),
    }


def test_a_metric_that_old_records_cannot_tell_is_refused(pair, capsys):
    assert main([*map(str, pair), "--metrics", "following"]) == 2
    assert "'following' is not in those of A, which an earlier version wrote" in capsys.readouterr().err


def test_languages_seen_in_training_are_those_of_the_records(tmp_path, capsys):
    """One side saw sw and te, the other te: te alone was seen by both, fr by none, and sw counts in `all` only."""
    right = {"fr": [1, 0], "sw": [1, 1], "te": [0, 0]}
    one = make_run(tmp_path / "a" / "seed0", right, seen=["sw", "te"])
    other = make_run(tmp_path / "b" / "seed0", right, seen=["te"])
    assert main([str(one), str(other), "--output", str(tmp_path / "out")]) == 0
    rows = table(tmp_path / "out")
    assert [rows[domain, "accuracy"]["a"] for domain in ("seen", "unseen", "all")] == ["0", "0.5", "0.5"]
    assert "languages seen in training: A: sw, te; B: te" in capsys.readouterr().out
    unknown = make_run(tmp_path / "c" / "seed0", right)
    assert main([str(unknown), str(unknown), "--output", str(tmp_path / "none")]) == 0
    assert {domain for domain, _ in table(tmp_path / "none")} == {"all"}
    assert "languages seen in training: unknown" in capsys.readouterr().out

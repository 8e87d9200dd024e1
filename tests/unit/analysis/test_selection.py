"""Pools of equal size, and what selectors make of records, by hand."""

import pandas
import pytest

from src.analysis.selection import Given, doubted, pool, selected
from src.analysis.statistics import macro, resampled
from src.common.errors import UserError
from src.reporting.selection import counts_of, side_by_side
from src.selectors.base import Candidate
from src.selectors.oracle import Oracle
from src.selectors.vote import Vote


def frame(answers, gold="1", split="test"):
    """Records: language -> its answers to each problem, as words; `-` is none. An answer in French reasons in French."""
    rows = []
    for language, problems in answers.items():
        for number, texts in enumerate(problems):
            for sample, text in enumerate(texts.split()):
                right = text == gold
                row = {"split": split, "problem": f"p{number}", "language": language, "sample": sample}
                row |= {"answer": None if text == "-" else text, "correct": right}
                rows.append(row | {"right_and_in_language": right and language == "fr"})
    return pandas.DataFrame(rows)


def value(cells, metric="correct", languages=("fr", "en", "ja")):
    return float(macro(cells, metric, languages, resampled(cells, 0))[0])


def given(**answers):
    return {code: [Given(Candidate(code, text), False) for text in texts.split()] for code, texts in answers.items()}


def test_pools_have_the_number_of_samples_they_should_own_ones_first():
    problem = given(fr="a b c d", en="e f g h", ja="i j k l")
    shown = {
        (own, kind, count): "".join(one.candidate.answer for one in pool(problem, own, kind, count) or ())
        for own, kind, count in (
            *(("ja", "own", 4), ("ja", "own", 5), ("ja", "pivot", 3), ("ja", "pivot", 8), ("ja", "pivot", 9)),
            *(("en", "pivot", 4), ("ja", "languages", 2), ("ja", "languages", 3), ("ja", "languages", 5)),
        )
    }
    assert list(shown.values()) == ["ijkl", "", "ije", "ijklefgh", "", "efgh", "ia", "iae", "ijabe"]


def test_doubt_is_the_share_of_own_answers_outside_of_their_majority():
    problem = given(fr="1 1.0 2 -", en="3")
    score = [one.candidate.score for one in doubted([*problem["fr"], *problem["en"]])]
    assert score == [None, None, None, None, pytest.approx(0.5)]


def test_a_vote_over_languages_by_hand():
    frames = {1: frame({"fr": ["1", "2"], "en": ["1", "1"], "ja": ["2", "1"]})}
    cells = selected(frames, "test", Vote(), "languages", 3)
    assert value(cells) == 1.0  # 1 has two votes of three in both problems
    assert value(selected(frames, "test", Vote(), "own", 1)) == pytest.approx(2 / 3)
    assert value(cells, "right_and_in_language", ("fr",)) == 0.5  # in p1 the English answer stands for it
    assert value(cells, "right_and_in_language", ("ja",)) == 0.0


def test_of_one_sample_the_expectation_is_taken():
    frames = {1: frame({"fr": ["1 2 1 -"]})}
    cells = selected(frames, "test", None, "own", 4)
    assert (value(cells), value(cells, "answered")) == (0.5, 0.75)


def test_nothing_chosen_is_wrong_and_counted():
    frames = {1: frame({"fr": ["1 2", "1 1"]}), 2: frame({"fr": ["- -", "2 2"]})}
    cells = selected(frames, "test", Vote(tie="abstain"), "own", 2)
    assert (value(cells), value(cells, "answered")) == (0.25, 0.5)


def test_too_few_samples_give_no_row():
    frames = {1: frame({"fr": ["1 2", "1"]})}
    assert selected(frames, "test", Vote(), "own", 2) is None
    table = side_by_side(frames, "test", {"vote": Vote(), "oracle": Oracle()}, [2], "en", {"all": ("fr", "en")})
    assert [row[3] for row in table.rows if row[0] == "all"] == ["one sample"]


def test_the_table_sets_them_side_by_side():
    frames = {1: frame({"fr": ["2 1", "2 1"], "en": ["1 1", "2 2"]})}
    assert counts_of(frames.values(), "test") == [2]
    table = side_by_side(frames, "test", {"vote": Vote(), "oracle": Oracle()}, [2], "en", {"all": ("fr", "en")})
    rows = {(row[2], row[3]): row for row in table.rows if row[0] == "all"}
    assert {key: row[4][:5] for key, row in rows.items()} == {
        ("own", "one sample"): "0.250",  # the first sample of each
        ("own", "vote"): "0.250",  # ties go to the first; of English p0 is right
        ("own", "oracle"): "0.750",
        ("pivot", "vote"): "0.250",  # in French 2 comes first both times
        ("pivot", "oracle"): "0.500",
        ("languages", "vote"): "0.250",
        ("languages", "oracle"): "0.500",
    }


def test_parts_weigh_as_the_benchmark_says():
    rows = frame({"fr": ["1", "2"]})  # p0 right, p1 wrong
    frames = {1: rows.assign(part=rows["problem"].map({"p0": "low", "p1": "top"}))}
    weighed = {"low": 1.0, "top": 3.0}
    assert value(selected(frames, "test", Vote(), "own", 1, part_weights=weighed)) == 0.25
    assert value(selected(frames, "test", Vote(), "own", 1)) == 0.5
    table = side_by_side(frames, "test", {"vote": Vote()}, [1], "en", {"all": ("fr",)}, weighed)
    assert {row[4][:5] for row in table.rows} == {"0.250"}
    with pytest.raises(UserError, match="every part needs a weight; 'top' has none"):
        selected(frames, "test", Vote(), "own", 1, part_weights={"low": 1.0})


def test_what_is_not_there_is_named():
    with pytest.raises(UserError, match="column 'logprob_mean'"):
        selected({1: frame({"fr": ["1"]})}, "test", type("Scored", (), {"score": "logprob_mean"})(), "own", 1)
    with pytest.raises(UserError, match="the split 'dev'"):
        counts_of([frame({"fr": ["1"]})], "dev")

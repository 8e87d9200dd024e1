"""Routes by hand: what is alike, which language did best where, and what is asked then."""

import json

import pandas
import pytest

from src.commands.routes import main
from src.data.records import Question
from src.language.phrases import PHRASES
from src.strategies.route import Route
from src.strategies.routing import Answered, centres, nearest, read_routes, routes_of, similarity, vector, write_routes

APPLES = "Marie a 3 pommes et en achète 4."
MORE_APPLES = "Marie a 12 pommes et en achète 9."
TRAINS = "Un train roule pendant deux heures."


def answers(question, **right):
    """Two answers in each language, of which so many are right."""
    return [Answered("fr", question, code, number < good) for code, good in right.items() for number in range(2)]


def test_texts_are_alike_whatever_their_numbers():
    assert similarity(vector(APPLES), vector(APPLES)) == pytest.approx(1.0)
    assert vector("3 pommes") == vector("9  Pommes")
    likeness = [similarity(vector(APPLES), vector(text)) for text in (MORE_APPLES, TRAINS)]
    assert likeness[0] > 0.9 > 0.5 > likeness[1]


def test_centres_lie_apart_and_are_no_more_than_the_texts():
    texts = [vector(text) for text in (APPLES, MORE_APPLES, TRAINS, APPLES)]
    for seed in range(5):
        two = centres(texts, 2, seed)
        assert {nearest(texts[0], two), nearest(texts[2], two)} == {0, 1}
    assert len(centres(texts, 9, 0)) == 3
    assert centres([], 3, 0) == []


def test_each_cluster_has_the_languages_in_order_of_what_they_did():
    given = [*answers(APPLES, fr=1, en=1, ja=2), *answers(TRAINS, fr=2, en=1, ja=1)]
    (clusters,) = routes_of(given, 2, 0, "en").values()
    text_at = {nearest(vector(text), [cluster.centre for cluster in clusters]): text for text in (APPLES, TRAINS)}
    orders = {text_at[place]: cluster.languages for place, cluster in enumerate(clusters)}
    assert orders == {APPLES: ("ja", "en", "fr"), TRAINS: ("fr", "en", "ja")}
    (single,) = routes_of(given, 1, 0, "en")["fr"]
    assert single.languages == ("fr", "ja", "en")  # 3, 3 and 2 of 4 right; of equal ones by code


def test_a_question_is_thought_through_where_questions_like_it_did_best(tmp_path):
    path = tmp_path / "routes.json"
    write_routes(path, routes_of([*answers(APPLES, fr=0, ja=2), *answers(TRAINS, fr=2, ja=0)], 2, 0, "en"))
    route = Route(str(path))
    ask = route(Question("p", "fr", MORE_APPLES, "1"), "none", 0, 0, ())
    assert ask.turns == (f"{PHRASES['ja'].think_in}\n\n{MORE_APPLES}",) and ask.prefill == PHRASES["ja"].opening + "\n"
    assert route.languages(Question("p", "fr", TRAINS, "1")) == ["fr"] and route.shared
    assert route.languages(Question("p", "sw", TRAINS, "1")) == ["sw"]
    both = Route(str(path), best=3)
    assert both.languages(Question("p", "fr", TRAINS, "1")) == ["fr", "ja", "fr"] and not both.shared
    before = route.identity()
    moved = tmp_path / "elsewhere.json"
    moved.write_bytes(path.read_bytes())
    assert Route(str(moved)).identity() == before
    moved.write_text('{"fr": []}')
    assert Route(str(moved)).identity() != before


def test_what_is_no_table_is_named(tmp_path):
    assert "must be a table of routes; got ''" in Route().violations()[0]
    path = tmp_path / "routes.json"
    path.write_text("[]")
    assert "is no table of routes" in Route(str(path)).violations()[0]
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"fr": [{"centre": {"1": 1.0}, "languages": ["xx"]}]}))
    assert "xx is not among" in Route(str(other)).violations()[0]
    assert Route(best=0).violations() == ["strategy.best must be at least 1; got 0"]


def test_the_command_makes_a_table_of_an_evaluation_that_fanned_out(tmp_path, capsys):
    folder = tmp_path / "seed1" / "evaluate"
    folder.mkdir(parents=True)
    rows = [
        {"split": "dev", "language": "fr", "question": APPLES, "sample": sample, "correct": sample == 1}
        for sample in range(2)
    ]
    pandas.DataFrame(rows).to_parquet(folder / "records.parquet")
    config = tmp_path / "seed1" / "config.yaml"
    config.write_text("strategy: {_target_: src.strategies.fan_out.FanOut, languages: [fr, th], random: false}")
    output = tmp_path / "routes.json"
    assert main([str(tmp_path / "seed1"), "--output", str(output)]) == 0
    assert capsys.readouterr().out == "fr: th\n"
    assert read_routes(str(output))["fr"][0].languages == ("th", "fr")
    assert main([str(tmp_path / "seed1"), "--output", str(output), "--split", "test"]) == 2
    config.write_text("strategy: {_target_: src.strategies.plain.Plain}")
    assert main([str(tmp_path / "seed1"), "--output", str(output)]) == 2
    assert "must be of an evaluation with strategy=fan_out" in capsys.readouterr().err

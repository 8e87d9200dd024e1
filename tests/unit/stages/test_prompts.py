"""The prompts stage: what is dropped and why, what stays in which language, and what the published sets come to."""

import json
from collections import Counter

import pytest

from src.common.errors import ConfigError
from src.data import question_sets
from src.data.records import Example, Question, read_records, write_records
from src.data.selection import choose
from src.data.selection.groups import problem_groups
from src.pipeline.execute import execute
from src.rollout.engines.scripted import ScriptedEngine
from src.stages import prompts
from tests.helpers.configs import prepare
from tests.helpers.paths import DATA


def question(problem, language="fr", text=None, gold="7"):
    return Question(problem, language, text or f"Question {language} {problem} ?", gold)


def put(path, rows):
    write_records(path, rows)
    return path


def make(tmp_path, *more, name="run"):
    """Run the stage; its folder."""
    (tmp_path / name).mkdir(exist_ok=True)
    built, directory = prepare(
        tmp_path / name, "+experiment=prompts", f"root={tmp_path / 'runs'}", "distributed.processes=1", *more
    )
    execute(built, directory, directory / "config.yaml")
    return directory / "prompts"


def dropped(folder):
    rows = [json.loads(line) for line in (folder / "dropped.jsonl").read_text().splitlines()]
    return {(row["problem"], row["language"]): row["reason"] for row in rows}


def test_duplicates_are_of_the_same_text():
    rows = [question("1", text="Un, deux ?"), question("2", text="UN DEUX"), question("3", text="Trois ?")]
    assert choose.duplicates(rows) == {1: ("duplicate", "1")}


def test_a_leak_takes_its_translations_along():
    rows = [
        question("1", "fr", "Combien de pommes ?"),
        question("1", "ja", "りんごはいくつ？"),
        question("2", "fr", "Combien de poires ?"),
        question("3", "ko", "사과 1234개와 567개", "1801"),
    ]
    against = {
        "bench": [
            question("b", "fr", "Combien de pommes ?"),
            question("c", "de", "567 und 1234 Äpfel", "1801"),
            question("d"),
        ]
    }
    leaks, standing = choose.leaks(rows, against)
    assert {index: detail for index, (_, detail) in leaks.items()} == {0: "bench b", 1: "bench b", 3: "bench c"}
    assert standing == {"bench": 2}


def test_one_language_of_each_problem_and_the_languages_even():
    # Five problems in French alone, and five in French and Korean: Korean takes all of those.
    rows = [question(f"f{n}") for n in range(5)] + [question(f"t{n}", code) for n in range(5) for code in ("fr", "ko")]
    removed = choose.translations(rows, "one", seed=0)
    left = Counter(row.language for index, row in enumerate(rows) if index not in removed)
    assert left == {"fr": 5, "ko": 5}
    assert {reason for reason, _ in removed.values()} == {"translation"}
    assert choose.translations(rows, "one", seed=0) == removed
    # Six problems in both: three each, and another seed chooses others.
    rows = [question(f"t{n}", code) for n in range(6) for code in ("fr", "ko")]
    chosen = [frozenset(choose.translations(rows, "one", seed)) for seed in range(4)]
    assert all(Counter(rows[index].language for index in own) == {"fr": 3, "ko": 3} for own in chosen)
    assert len(set(chosen)) > 1


def test_all_languages_of_a_problem_but_one_wording():
    rows = [
        question("1", "fr", "2024 et 13 ?", "2037"),
        question("2", "fr", "13 puis 2024 ?", "2037"),
        question("3", "ko", "2024, 13", "2037"),
    ]
    assert choose.translations(rows, "all", seed=0) == {1: ("reworded", "1")}
    assert problem_groups(rows) == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("mode", "limit", "left"),
    [
        ("none", None, {"fr": 5, "ko": 3}),
        ("smallest", None, {"fr": 3, "ko": 3}),
        ("none", 4, {"fr": 4, "ko": 3}),
        ("smallest", 2, {"fr": 2, "ko": 2}),
    ],
)
def test_balance(mode, limit, left):
    rows = [question(str(n), "fr") for n in range(5)] + [question(str(n + 5), "ko") for n in range(3)]
    removed = choose.balance(rows, mode, limit, seed=0)
    assert Counter(row.language for index, row in enumerate(rows) if index not in removed) == left


def test_the_stage_from_files_to_prompts(tmp_path):
    first = put(
        tmp_path / "first.jsonl",
        [question(str(n)) for n in range(6)]
        + [
            question("0", "ko"),
            question("1", "ko"),
            question("again", text="question FR 3"),
            question("bad", gold="\\frac{"),
        ],
    )
    second = put(
        tmp_path / "second.jsonl", [question("0", "ko", "다른 문제 ?"), question("0", "de")]
    )  # "0" of another set
    judged_by = put(tmp_path / "judge.jsonl", [question("x", text="Question fr 4")])
    more = (f"prompts.sources=[{first},{second}]", f"prompts.against=[{judged_by}]", "prompts.languages=[fr,ko]")
    folder = make(tmp_path, *more, "prompts.balance=none")
    assert dropped(folder) == {
        ("first.jsonl/again", "fr"): "duplicate",
        ("first.jsonl/bad", "fr"): "bad_gold",
        ("first.jsonl/4", "fr"): "leak",
        ("first.jsonl/0", "fr"): "translation",
        ("first.jsonl/1", "fr"): "translation",
    }
    kept = read_records(folder / "prompts.jsonl", Question)
    assert sorted((row.problem, row.language) for row in kept) == [
        ("first.jsonl/0", "ko"),
        ("first.jsonl/1", "ko"),
        ("first.jsonl/2", "fr"),
        ("first.jsonl/3", "fr"),
        ("first.jsonl/5", "fr"),
        ("second.jsonl/0", "ko"),
    ]
    card = (folder / "card.md").read_text()
    for line in (
        "1 of 1 rows of judge.jsonl stand in the sources",
        "4 rows read are 2 problems in several languages",
        "| all | 11 |",
    ):
        assert line in card
    assert str(tmp_path) not in card
    # The order of a file does not matter for the order of the result, the seed does.
    assert kept == read_records(make(tmp_path, *more, "prompts.balance=none", name="twice") / "prompts.jsonl", Question)
    other = read_records(
        make(tmp_path, *more, "prompts.balance=none", "seed=1", name="other") / "prompts.jsonl", Question
    )
    assert [row.problem for row in other] != [row.problem for row in kept]
    first.write_text(first.read_text().replace('"7"', '"8"'))  # another content is another configuration
    with pytest.raises(ConfigError, match="holds the work of another configuration"):
        make(tmp_path, *more, "prompts.balance=none")


def test_nothing_left_is_an_error_with_the_counts(tmp_path):
    source = put(tmp_path / "a.jsonl", [question("1")])
    with pytest.raises(Exception, match=r"no prompt is left(.|\n)*1 of 1 rows of a\.jsonl stand in the sources"):
        make(tmp_path, f"prompts.sources=[{source}]", f"prompts.against=[{source}]")


def test_difficulty_keeps_what_is_sometimes_right_and_resumes(tmp_path, overrides, monkeypatch):
    # Problem n is right in n of 4 rollouts.
    source = put(tmp_path / "a.jsonl", [question(str(n), text=f"{n} ?") for n in range(5)])
    asked = []

    def scripted(spec, model, tokenizer):
        def reply(prompt, index):
            text = tokenizer.decode(prompt)
            number = int(text[text.index(" ?") - 1])
            asked.append(number)
            answer = f"</think>\\boxed{{{7 if index < number else 8}}}"
            return [*tokenizer(answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

        return ScriptedEngine(reply, tokenizer.eos_token_id)

    monkeypatch.setattr(prompts, "build_engine", scripted)
    more = (
        *overrides,
        f"prompts.sources=[{source}]",
        "prompts.difficulty.rollouts=4",
        "prompts.difficulty.questions_per_part=2",
        "rollout.maximum_new_tokens=60",
    )
    folder = make(tmp_path, *more)
    assert dropped(folder) == {("0", "fr"): "too_hard", ("4", "fr"): "too_easy"}
    before = (folder / "prompts.jsonl").read_bytes()
    assert len(asked) == 5 * 4
    for path in (folder / "done.json", folder / "parts" / "000002+2.jsonl"):  # as when it was interrupted
        path.unlink()
    make(tmp_path, *more)
    assert len(asked) == 5 * 4 + 2 * 4
    assert (folder / "prompts.jsonl").read_bytes() == before
    assert dropped(make(tmp_path, *more, "prompts.difficulty.maximum=4", name="easy")) == {("0", "fr"): "too_hard"}


def test_right_rollouts_are_left_as_worked_examples(tmp_path, overrides, monkeypatch):
    # Of three rollouts the first two are right, the first of them in English.
    traces = ("We have three and four of them.", "Nous avons trois et quatre pommes.", "Nous avons deux pommes.")

    def scripted(spec, model, tokenizer):
        def reply(prompt, index):
            answer = f"{traces[index]}</think>\\boxed{{{7 if index < 2 else 8}}}"
            return [*tokenizer(answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

        return ScriptedEngine(reply, tokenizer.eos_token_id)

    monkeypatch.setattr(prompts, "build_engine", scripted)
    source = put(tmp_path / "a.jsonl", [question("1"), question("2")])
    more = (
        *overrides,
        f"prompts.sources=[{source}]",
        "prompts.difficulty.rollouts=3",
        "rollout.maximum_new_tokens=200",
    )
    folder = make(tmp_path, *more, "prompts.difficulty.samples=2")
    rows = read_records(folder / "samples.jsonl", Example)
    assert [(row.problem, row.completion.split("</think>")[0]) for row in rows] == [("1", traces[1]), ("2", traces[1])]
    assert not (make(tmp_path, *more, name="without") / "samples.jsonl").exists()
    with pytest.raises(ConfigError, match="samples must be from 0 to rollouts; got 4 and 3"):
        make(tmp_path, *more, "prompts.difficulty.samples=4", name="many")


def test_a_model_of_ours_is_needed_for_difficulty_alone(tmp_path, overrides):
    source = put(tmp_path / "a.jsonl", [question(str(n), text=f"{n} et 5 ?") for n in range(3)])
    make(tmp_path, f"prompts.sources=[{source}]", "scale=tiny", "model.path=/nowhere", "pretrain.from_scratch=false")
    with pytest.raises(Exception, match=r"no prompt is left(.|\n)*too_hard"):  # weights at random are never right
        make(tmp_path, *overrides, f"prompts.sources=[{source}]", "prompts.difficulty.rollouts=2", name="random")


def test_the_result_is_data_for_grpo(tmp_path, overrides):
    folder = make(tmp_path, "prompts.sources=[world@train]", "prompts.languages=[fr,ja]", "prompts.problems=4")
    count = len(read_records(folder / "prompts.jsonl", Question))
    (tmp_path / "grpo").mkdir()
    built, directory = prepare(
        tmp_path / "grpo",
        "+experiment=grpo",
        "stages=[grpo]",
        *overrides,
        "grpo.steps=1",
        f"data.prompts={folder / 'prompts.jsonl'}",
    )
    execute(built, directory, directory / "config.yaml")
    assert count >= 4
    assert json.loads((directory / "grpo" / "inputs.json").read_text())["inputs"]["data.prompts"].startswith("file ")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "prompts.sources must name at least one set"),
        (["prompts.balance=largest"], "prompts.balance must be none or smallest; got 'largest'"),
        (["prompts.translations=two"], "prompts.translations must be one or all"),
        (["prompts.difficulty.rollouts=4", "prompts.difficulty.minimum=4"], "0 <= minimum <= maximum <= rollouts"),
        (["stages=[prompts,grpo]"], "stages must end with traces or prompts"),
    ],
)
def test_settings_that_cannot_work_are_named(tmp_path, overrides, message):
    with pytest.raises(ConfigError) as caught:
        prepare(tmp_path, "+experiment=prompts", *overrides)
    assert message in str(caught.value)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_set_in_a_repository_needs_its_commit(tmp_path, monkeypatch):
    file = put(tmp_path / "q.jsonl", [question("1")])
    asked = []
    monkeypatch.setattr("src.data.hub.fetch", lambda *where: asked.append(where) or file)
    assert question_sets.read(f"hub:some/set@{COMMIT}/data/q.jsonl") == [question("1")]
    assert asked == [("hub:some/set", COMMIT, "data/q.jsonl")]
    benchmark = question_sets.find(f"dapo_math@val=hub:some/set@{COMMIT}/data").benchmark
    assert (benchmark.source, benchmark.revision, benchmark.folder) == ("hub:some/set", COMMIT, "data")
    for name in ("hub:some/set@main/q.jsonl", "dapo_math@val=hub:some/set"):
        with pytest.raises(question_sets.Unreadable, match="with the full commit hash"):
            question_sets.find(name)


def test_published_prompts_leaks_and_translations(tmp_path):
    if not (DATA / "dapo_math").is_dir():
        pytest.skip(f"no published data: {DATA / 'dapo_math'} does not exist; set SHARED_DATA")
    train, val = (f"dapo_math@{split}={DATA / 'dapo_math'}" for split in ("train_5k", "val"))
    folder = make(tmp_path, f'prompts.sources=["{train}"]', f'prompts.against=["{val}"]')
    card = (folder / "card.md").read_text()
    assert "- 250 of 250 rows of dapo_math@val stand in the sources" in card
    (line,) = (line for line in card.splitlines() if "problems in several languages" in line)
    rows = int(line.split()[1].replace(",", ""))
    assert abs(rows - 2283) < 0.05 * 2283  # counted apart, by another criterion
    kept = read_records(folder / "prompts.jsonl", Question)
    assert len(set(Counter(row.language for row in kept).values())) == 1  # balanced
    assert all(len(group) == 1 for group in problem_groups(kept))
    assert not choose.leaks(kept, {"val": question_sets.read(val)})[0]

"""Evaluation on a benchmark, from a model and from saved completions, and that it resumes."""

import json

import pandas
import pyarrow.parquet
import pytest

from src.data.benchmarks.jsonl import Jsonl
from src.data.readers import BadData
from src.pipeline.execute import execute
from src.stages import evaluate
from src.store.records import notes_of
from src.training.mismatch import SamplerMismatch
from tests.helpers.configs import prepare
from tests.helpers.damage import flip, halve

FRENCH = "Ensuite, nous ajoutons les deux nombres pour obtenir le total."
ENGLISH = "Then we add the two numbers together to get the total."
ROWS = [  # id, language, completion, gold
    ("1", "fr", f"{FRENCH}</think>La réponse est \\boxed{{1 200,5}}", "1200.5"),
    ("2", "fr", f"{ENGLISH}</think>\\boxed{{3}}", "3"),
    ("3", "fr", f"{FRENCH} {ENGLISH}</think>\\boxed{{4}}", "5"),
    ("4", "fr", "", "7"),
]


def saved(tmp_path):
    path = tmp_path / "saved.jsonl"
    names = ("id", "language", "completion", "gold")
    path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in ROWS))
    return path


def scored(tmp_path, path, *more):
    """(configuration, directory) of a finished run that scored the file."""
    arguments = (f"benchmark.completions={path}", f"root={tmp_path / 'runs'}", "distributed.processes=1")
    built, directory = prepare(tmp_path, "+experiment=evaluate", *arguments, *more)
    execute(built, directory, directory / "config.yaml")
    return built, directory


def test_saved_completions_are_scored_without_a_model(tmp_path):
    _, directory = scored(tmp_path, saved(tmp_path), "model.path=/nowhere")
    records = pandas.read_parquet(directory / "evaluate" / "records.parquet").set_index("problem")
    assert list(records["correct"]) == [True, True, False, False]
    assert list(records["in_language"]) == [True, False, True, False]
    assert list(records["right_and_in_language"]) == [True, False, False, False]
    assert list(records["status"]) == ["right", "right", "wrong", "unparsed"]
    assert list(records["truncated"]) == [False, False, False, True]
    assert records.loc["3", "switches"].tolist() == [f"{len(FRENCH) + 1} fr>en"]
    assert pandas.isna(records.loc["1", "answer_detected"])  # "La réponse est": too few letters to be identified
    # As published, separators of French are not read, and an empty trace passes.
    assert list(records["published_correct"]) == [False, True, False, False]
    assert list(records["published_line_pass"]) == [True, False, True, True]
    stamp = json.loads(pyarrow.parquet.read_schema(directory / "evaluate" / "records.parquet").metadata[b"scoring"])
    assert set(stamp) == {"scoring rule", "latex2sympy2-extended", "lingua-language-detector", "math-verify", "sympy"}
    shown = (directory / "report" / "table.txt").read_text()
    assert "as published, test (" in shown and "tokens per right answer" in shown
    assert "none: completions of saved.jsonl" in (directory / "report" / "report.md").read_text()


def test_another_file_of_completions_is_another_run(tmp_path):
    path = saved(tmp_path)
    built, directory = scored(tmp_path, path)
    path.write_text(path.read_text().replace("1 200,5", "1 300,5"))
    with pytest.raises(Exception, match="holds the work of another configuration"):
        execute(built, directory, directory / "config.yaml")


def test_a_model_answers_a_benchmark_in_parts_and_finished_parts_are_kept(tmp_path, overrides, monkeypatch):
    questions = tmp_path / "questions.jsonl"
    rows = [
        {"problem": str(n), "language": c, "question": f"{n} + 1 ?", "gold": str(n + 1)}
        for c in ("fr", "ja")
        for n in range(5)
    ]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = (
        "+experiment=evaluate",
        *overrides,
        "benchmark=jsonl",
        f"benchmark.questions_file={questions}",
        "evaluation.problems=4",
        "evaluation.languages=[fr,ja]",
        "evaluation.questions_per_part=3",
        "evaluation.samples=2",
        "data.instruction=localised",
    )
    built, directory = prepare(tmp_path, *arguments)
    execute(built, directory, directory / "config.yaml")
    parts = sorted(path.name for path in (directory / "evaluate" / "parts").glob("*.parquet"))
    assert parts == [f"test-{code}-{piece}.parquet" for code in ("fr", "ja") for piece in ("00000+3", "00003+1")]
    first = pandas.read_parquet(directory / "evaluate" / "records.parquet")
    assert len(first) == 2 * 4 * 2
    for path in (directory / "evaluate" / "done.json", directory / "evaluate" / "parts" / parts[1]):
        path.unlink()
    execute(built, directory, directory / "config.yaml")
    pandas.testing.assert_frame_equal(pandas.read_parquet(directory / "evaluate" / "records.parquet"), first)


def test_languages_that_the_file_lacks_are_named(tmp_path, overrides):
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"problem": "1", "language": "fr", "question": "1 + 1 ?", "gold": "2"}) + "\n")
    arguments = ("+experiment=evaluate", *overrides, "benchmark=jsonl", f"benchmark.questions_file={questions}")
    built, directory = prepare(tmp_path, *arguments, "evaluation.languages=[fr,te,th]")
    execute(built, directory, directory / "config.yaml")
    (line,) = [note for note in notes_of(directory / "evaluate" / "records.parquet") if "no question" in note]
    assert "no question in te, th" in line and "evaluation.languages=[fr]" in line
    assert line in (directory / "report" / "report.md").read_text()


def test_a_file_with_none_of_the_languages_is_an_error(tmp_path, overrides):
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"problem": "1", "language": "fr", "question": "1 + 1 ?", "gold": "2"}) + "\n")
    arguments = ("+experiment=evaluate", *overrides, "benchmark=jsonl", f"benchmark.questions_file={questions}")
    built, directory = prepare(tmp_path, *arguments, "evaluation.languages=[te,th]")
    with pytest.raises(BadData, match=r"none in te, th\. Set evaluation\.languages"):
        execute(built, directory, directory / "config.yaml")


def test_the_report_follows_the_evaluation_it_is_of(tmp_path):
    import shutil

    path = saved(tmp_path)
    built, directory = scored(tmp_path, path)
    path.write_text(path.read_text().replace("1 200,5", "1 300,5"))
    shutil.rmtree(directory / "evaluate")
    with pytest.raises(Exception, match=r"report holds the work of another configuration"):
        execute(built, directory, directory / "config.yaml")


def test_golds_of_a_split_come_from_that_split_and_changed_golds_are_noticed(tmp_path):
    from src.pipeline.plan import plan

    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"problem": "1", "language": "fr", "question": "?", "gold": "2"}) + "\n")
    path = tmp_path / "saved.jsonl"
    row = {"id": "1", "language": "fr", "completion": "</think>\\boxed{2}", "split": "dev"}
    path.write_text(json.dumps(row) + "\n")
    arguments = (
        "+experiment=evaluate",
        "benchmark=jsonl",
        f"benchmark.questions_file={questions}",
        f"benchmark.completions={path}",
        f"root={tmp_path / 'runs'}",
        "distributed.processes=1",
        "evaluation.languages=[fr]",
    )
    built, directory = prepare(tmp_path, *arguments)
    with pytest.raises(Exception, match=r"rows of split dev have no gold answer, and the benchmark has no such split"):
        execute(built, directory, directory / "config.yaml")
    before = [stage.identity for stage in plan(built, directory)]
    questions.write_text(questions.read_text().replace('"2"', '"3"'))
    assert [stage.identity for stage in plan(built, directory)] != before


def test_a_part_without_a_weight_stops_before_anything_is_judged(tmp_path):
    built, directory = prepare(
        tmp_path,
        "+experiment=evaluate",
        f"benchmark.completions={saved(tmp_path)}",
        f"root={tmp_path / 'runs'}",
        "distributed.processes=1",
        "+benchmark.weights.top=8",
    )
    with pytest.raises(Exception, match=r"problem 1 \(fr\): part '' must be one of top"):
        execute(built, directory, directory / "config.yaml")


def test_other_weights_in_the_same_folder_are_another_model(tmp_path):
    from src.pipeline.plan import fingerprint

    file = tmp_path / "model.safetensors"
    file.write_bytes(bytes(1_000_000))
    before = fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("not part of the model")
    assert fingerprint(tmp_path) == before
    file.write_bytes(bytes(999_999) + b"x")
    assert fingerprint(tmp_path) != before


def write_rows(tmp_path, rows):
    path = tmp_path / "saved.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_completions_that_never_close_are_said_in_records_report_and_terminal(tmp_path, capfd):
    rows = [{"id": n, "language": "fr", "completion": f"{FRENCH} \\boxed{{2}}", "gold": "2"} for n in range(20)]
    _, directory = scored(tmp_path, write_rows(tmp_path, rows))
    said = "0 of 20 completions close their thinking"
    assert f"note: {said}" in capfd.readouterr().err
    assert notes_of(directory / "evaluate" / "records.parquet")[0].startswith(said)
    for name in ("table.txt", "report.md", "report.html"):
        assert said in (directory / "report" / name).read_text()
    (tmp_path / "other").mkdir()
    _, directory = scored(tmp_path / "other", tmp_path / "saved.jsonl", "model.thinks=false")
    assert notes_of(directory / "evaluate" / "records.parquet") == []
    assert list(pandas.read_parquet(directory / "evaluate" / "records.parquet")["correct"]) == [True] * 20
    published = (directory / "report" / "table.txt").read_text().partition("as published, test (a dash")[2]
    (line,) = [line.split() for line in published.splitlines() if line.startswith("all ")]
    assert line[2:4] == ["1.000", "1.000"] and line[4:9] == ["-"] * 5  # there is no trace to judge


def test_malformed_gold_answers_are_left_out_by_id_in_every_language(tmp_path, capfd):
    rows = [
        {"id": f"p{n}", "language": code, "completion": f"{FRENCH}</think>\\boxed{{{n}}}", "gold": str(n)}
        for n in range(30)
        for code in ("fr", "de")
    ]
    bad = [{**row, "gold": "\\frac{1}{"} if row["id"] == "p7" else row for row in rows]
    _, directory = scored(tmp_path, write_rows(tmp_path, bad))
    records = pandas.read_parquet(directory / "evaluate" / "records.parquet")
    assert len(records) == 58 and "p7" not in set(records["problem"])
    said = "left out, for the gold answer is not right against itself: saved.jsonl p7 (gold '\\\\frac{1}{')"
    assert said in capfd.readouterr().err and said in (directory / "report" / "table.txt").read_text()


def test_too_many_malformed_gold_answers_stop_the_run(tmp_path):
    rows = [
        {"id": n, "language": "fr", "completion": "</think>", "gold": "\\frac{1}{" if n < 2 else "1"} for n in range(30)
    ]
    with pytest.raises(Exception, match="a gold answer must be a number"):
        scored(tmp_path, write_rows(tmp_path, rows))


def test_only_files_of_the_languages_that_are_there_are_needed(tmp_path):
    (tmp_path / "rev2").mkdir()
    for code in ("fr", "sw"):
        lines = [json.dumps({"id": n, "question": f"{n} ?", "answer": str(n)}) + "\n" for n in (1, 2)]
        (tmp_path / "rev2" / f"{code}.jsonl").write_text("".join(lines))
    rows = [{"id": n, "language": "fr-FR", "completion": f"</think>\\boxed{{{n}}}"} for n in (1, 2)]
    place = ("benchmark=mgsm_rev2", f"benchmark.path={tmp_path / 'rev2'}")
    _, directory = scored(tmp_path, write_rows(tmp_path, rows), *place)
    assert list(pandas.read_parquet(directory / "evaluate" / "records.parquet")["correct"]) == [True, True]


def test_settings_give_what_the_file_does_not_hold(tmp_path):
    rows = [{"n": n, "out": f"</think>\\boxed{{{n}}}", "key": {"value": f"... #### {n}"}} for n in (1, 2)]
    fields = ("+benchmark.fields.id=n", "+benchmark.fields.completion=out", "+benchmark.fields.gold=key.value")
    _, directory = scored(tmp_path, write_rows(tmp_path, rows), "benchmark.language=pt-BR", *fields)
    records = pandas.read_parquet(directory / "evaluate" / "records.parquet")
    assert list(records["language"]) == ["pt", "pt"] and list(records["correct"]) == [True, True]


def test_layouts_are_checked_and_are_part_of_what_a_result_depends_on():
    broken = Jsonl(completions=__file__, format="csv", language="xx", fields={"ids": "n"})
    text = "\n".join(broken.violations())
    for part in (
        "benchmark.format must be one of auto, lm_eval",
        "benchmark.language: unknown",
        "benchmark.fields must be among",
    ):
        assert part in text
    assert Jsonl(completions=__file__).fingerprint() != Jsonl(completions=__file__, language="fr").fingerprint()


@pytest.mark.parametrize("spoil", [flip, halve, lambda path: path.write_bytes(b"")])
def test_a_damaged_part_is_said_and_made_again(tmp_path, spoil, capsys):
    built, directory = scored(tmp_path, saved(tmp_path))
    folder = directory / "evaluate"
    whole = pandas.read_parquet(folder / "records.parquet")
    (part,) = folder.glob("parts/*.parquet")
    spoil(part)
    for name in ("done.json", "records.parquet"):  # as if it had been stopped after the part
        (folder / name).unlink()
    execute(built, directory, directory / "config.yaml")
    assert "is not what was written: its checksum differs: the part is made again" in capsys.readouterr().err
    pandas.testing.assert_frame_equal(pandas.read_parquet(folder / "records.parquet"), whole)


def test_a_part_without_a_checksum_is_taken_where_it_can_be_read(tmp_path, capsys):
    built, directory = scored(tmp_path, saved(tmp_path))
    folder = directory / "evaluate"
    for path in (folder / "done.json", *folder.glob("parts/.*.sha256")):
        path.unlink()
    execute(built, directory, directory / "config.yaml")
    assert "made again" not in capsys.readouterr().err
    (part,) = folder.glob("parts/*.parquet")
    halve(part)
    (folder / "done.json").unlink()
    execute(built, directory, directory / "config.yaml")
    assert "cannot be read" in capsys.readouterr().err


class ServesOtherWeights:
    """A sampler whose weights are not those of the model that is evaluated."""

    def __init__(self, engine):
        self.engine, self.name, self.probed = engine, "native", True
        engine.weights = {
            name: weight.flip(0) if weight.dim() == 2 else weight for name, weight in engine.weights.items()
        }

    def generate(self, *arguments):
        return self.engine.generate(*arguments)


def test_a_sampler_of_another_model_is_not_evaluated(tmp_path, overrides, monkeypatch):
    build = evaluate.build_engine
    monkeypatch.setattr(evaluate, "build_engine", lambda *arguments: ServesOtherWeights(build(*arguments)))
    arguments = ("+experiment=evaluate", "benchmark=world", *overrides, "distributed.processes=1")
    built, directory = prepare(tmp_path, *arguments)
    with pytest.raises(SamplerMismatch, match="trained or evaluated"):
        execute(built, directory, directory / "config.yaml")
    assert not (directory / "evaluate" / "records.parquet").exists()


@pytest.mark.parametrize("own", ["evaluation.temperature=0.3", "evaluation.temperature=0", "evaluation.top_p=0.5"])
def test_the_sampler_is_probed_with_the_sampling_of_the_evaluation(tmp_path, overrides, own):
    more = ("distributed.processes=1", "evaluation.splits=[test]", own)
    built, directory = prepare(tmp_path, "+experiment=evaluate", "benchmark=world", *overrides, *more)
    execute(built, directory, directory / "config.yaml")
    assert (directory / "evaluate" / "records.parquet").is_file()

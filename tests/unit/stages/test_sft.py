"""SFT on files of one's own: what it trained on is known afterwards, and what is wrong with it before."""

import json

import pytest

from src.data.readers import BadData
from src.data.records import Example, write_records
from src.data.world import documents
from src.data.world.spec import WorldSpec
from src.pipeline.execute import execute
from src.pipeline.plan import plan
from src.store.records import ROLLOUTS, seen_of
from src.store.rollouts import write_rollouts
from src.store.seen import seen_rows
from tests.helpers.configs import prepare

WORLD = WorldSpec(items=2)


def own(tmp_path, *codes):
    path = tmp_path / "sft.jsonl"
    write_records(path, [row for code in codes for row in documents.examples(WORLD, code, 6, 0, "sft")])
    return path


def test_a_run_on_swahili_and_telugu_calls_french_unseen(tmp_path, overrides):
    more = (
        *overrides,
        f"data.sft={own(tmp_path, 'sw', 'te')}",
        "evaluation.languages=[fr,sw,te]",
        "evaluation.problems=2",
    )
    built, directory = prepare(tmp_path, "+experiment=sft", *more)
    execute(built, directory, directory / "config.yaml")
    assert seen_of([directory / "evaluate" / "records.parquet"]) == ["sw", "te"]
    (model,) = (tmp_path / "runs").rglob("sft-*/model")
    assert seen_rows(str(model)) == {"sft": {"sw": 6, "te": 6}}
    noted = json.loads((model.parent / "done.json").read_text())["checksums"]
    assert {"model/languages.json", "model/model.safetensors"} <= set(noted)
    assert "model/README.md" not in noted  # its owner may edit it
    card = (model / "README.md").read_text()
    assert "language:\n- sw\n- te\n" in card and "| data.sft | sft.jsonl | " in card and str(tmp_path) not in card
    (model / "README.md").write_text(f"{card}\nTrained by us.\n")
    assert (model.parent / "examples.txt").read_text().splitlines()[0].split() == ["language", "examples"]
    report = (directory / "report" / "report.md").read_text()
    assert "| languages seen in training | sw, te |" in report
    # An evaluation of that model by another run knows it, too.
    more = (
        "+experiment=evaluate",
        *overrides,
        f"model.path={model}",
        "evaluation.languages=[fr,te]",
        "evaluation.problems=1",
    )
    built, directory = prepare(tmp_path / "later", *more)
    execute(built, directory, directory / "config.yaml")
    assert seen_of([directory / "evaluate" / "records.parquet"]) == ["sw", "te"]


def test_rows_of_ones_own_are_judged_as_the_mix_makes_them(tmp_path, overrides):
    path = tmp_path / "sft.jsonl"
    rows = [row for code in ("sw", "en") for row in documents.shared_examples(WORLD, code, 6, 0, "sft")]
    alone = documents.examples(WORLD, "te", 1, 1, "sft")
    write_records(path, [*rows, *alone])
    more = (*overrides, f"data.sft={path}", "mix=cross", "stages=[sft]")
    built, directory = prepare(tmp_path, "+experiment=sft", *more)
    execute(built, directory, directory / "config.yaml")
    (model,) = (tmp_path / "runs").rglob("sft-*/model")
    assert seen_rows(str(model)) == {"sft": {"en": 12, "sw": 6}}  # asked in English, thought in Swahili or English
    lines = (model.parent / "examples.txt").read_text().splitlines()
    assert lines[1].split() == ["en", "12"]
    assert lines[-1] == "mix: 1 of 7 problems are in no example, for a translation is missing or does not fit"
    assert (model.parent / "faulty.jsonl").read_text() == ""


def test_right_rollouts_of_a_finished_run_are_learned(tmp_path, overrides):
    folder = tmp_path / "rollouts"
    row = dict.fromkeys(column.name for column in ROLLOUTS) | {"problem": "7+1", "language": "fr", "gold": "8"}
    good = row | {"question": "Sept et un ?", "right_and_in_language": True, "truncated": False}
    good["completion"] = "Nous avons sept pommes et nous en ajoutons une.\n</think>\\boxed{8}"
    others = [good | {"right_and_in_language": False}, good | {"truncated": True}]
    write_rollouts(folder, 1, [*others, good])
    more = (*overrides, "mix=xrft", f"data.samples={folder}", "stages=[sft]", "sft.epochs=1")
    built, directory = prepare(tmp_path, "+experiment=sft", *more)
    execute(built, directory, directory / "config.yaml")
    (model,) = (tmp_path / "runs").rglob("sft-*/model")
    assert seen_rows(str(model)) == {"sft": {"fr": 13, "ja": 12}}
    first = plan(built, directory)[0].identity
    write_rollouts(folder, 2, [good | {"question": "Un et sept ?"}])
    assert plan(built, directory)[0].identity != first


def test_faulty_examples_stop_before_the_model_is_loaded(tmp_path, overrides):
    path = own(tmp_path, "fr")
    bad = Example("bad", "fr", "Combien ?", "3", "Nous ajoutons un et deux ensemble.\n</think>\\boxed{4}")
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(vars(bad), ensure_ascii=False) + "\n")
    more = ("+experiment=sft", *overrides, f"data.sft={path}", "stages=[sft]", "sft.epochs=1", "model.path=/nowhere")
    built, directory = prepare(tmp_path, *more)
    with pytest.raises(BadData, match=r"at most 2.00% .* \(data.maximum_faulty\); 1 of 7 are"):
        execute(built, directory, directory / "config.yaml")
    (lines,) = (file.read_text() for file in (tmp_path / "runs").rglob("faulty.jsonl"))
    assert json.loads(lines) == {"problem": "bad", "language": "fr", "reason": "wrong", "detail": "'4' for '3'"}

"""Paths may hold what Hydra's grammar has no place for, in every setting and option."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from src.config.compose import compose, composed, named_after
from src.config.directory import directory_of
from src.config.paths import PATHS, expanded, place, readable, user_path, written
from tests.helpers.configs import compose_node

STRANGE = (
    "/d/modèle",
    "/d/a=b",
    "/d/a b",
    "/d/a,b",
    "/d/{x}[y]",
    "/d/#1;&(é)",
    "/d/'q",
    '/d/"q"',
    "C:\\d\\",
    "/d/データ",
)


@pytest.mark.parametrize("path", STRANGE)
def test_a_strange_path_is_read_as_it_is_typed(path):
    for key in ("model.path", "data.sft", "root", "benchmark.completions"):
        node = compose([f"{key}={path}"]).node
        assert OmegaConf.select(node, key) == path
        assert OmegaConf.select(compose([written(key, path)]).node, key) == path


@pytest.mark.parametrize("text", ["null", "true", "12", "1e5", "a", "org/name", "~/a", "${x}"[1:]])
def test_what_is_written_is_read_as_a_text(text):
    assert compose_node(written("model.path", text)).model.path == text


def test_lists_of_strange_paths_are_read_and_sweeps_stay_sweeps():
    node = compose(["merge.models=[~/a,é=b]", "prompts.sources=[mgsm=/d/f, world@train]"]).node
    assert node.merge.models == ["~/a", "é=b"] and node.prompts.sources == ["mgsm=/d/f", "world@train"]
    assert readable("model.path=~/a,~/b", several=True) == 'model.path="~/a","~/b"'
    assert readable("seed=1,2", several=True) == "seed=1,2"
    for text in ("seed=1", "world.languages=[fr, en]", "grpo.optimiser.learning_rate=1e-5", "~reward", "--cfg", "a=[b"):
        assert readable(text) == text


def test_the_home_folder_is_expanded_everywhere(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "f").write_text("")
    files = ("data.sft", "data.validation", "data.prompts", "benchmark.completions", "rollout.script")
    config = composed(["+experiment=grpo", "root=~/r", "model.path=~/m", *(f"{key}=~/f" for key in files)])
    assert (config.root, config.model.path) == (f"{tmp_path}/r", f"{tmp_path}/m")
    assert {config.data.sft, config.benchmark.completions, config.rollout.script} == {f"{tmp_path}/f"}
    assert directory_of(["+experiment=grpo", "root=~/r"]) == tmp_path / "r/laptop/grpo/seed0"
    assert expanded("mgsm=~/d") == f"mgsm={tmp_path}/d" and expanded("a~b") == "a~b"
    assert user_path("~/x") == tmp_path / "x"


def test_every_path_of_the_schema_is_known():
    node = compose_node("+experiment=grpo", "benchmark=jsonl", "merge=linear", "strategy=route")
    there = [key for key in PATHS if key != "model.chat_template"]
    assert all(OmegaConf.select(node, key, default="absent") != "absent" for key in there)


def test_a_run_is_the_same_however_its_path_is_spelled(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    spellings = ("models/a", "./models/a", "models/a/", "models//a", str(tmp_path / "models/a"), "models/b/../a")
    names = {directory_of(["+experiment=grpo", f"model.path={text}"]).name for text in spellings}
    assert len(names) == 1
    assert place("org/name") == "org/name" and place("/elsewhere/a/") == "/elsewhere/a" and place(None) is None


def test_an_evaluation_is_named_after_what_it_evaluates():
    assert named_after("evaluate", "world", None) == "evaluate"
    assert named_after("evaluate", "Qwen/Qwen3-4B", None) == "evaluate-Qwen3-4B"
    assert named_after("evaluate", "/d/my model/", None) == "evaluate-my_model"
    assert named_after("evaluate", "runs/laptop/grpo/seed0/grpo/model", None) == "evaluate-grpo-seed0-grpo"
    assert named_after("evaluate", "world", "out/answers.jsonl") == "evaluate-answers"
    place_of = directory_of(["+experiment=evaluate", "model.path=org/first", "root=R"])
    assert place_of.parent == Path("R/laptop/evaluate-first")
    assert directory_of(["+experiment=evaluate", "root=R"]) == Path("R/laptop/evaluate/seed0")
    assert directory_of(["+experiment=evaluate", "method=mine", "root=R"]).parent == Path("R/laptop/mine")

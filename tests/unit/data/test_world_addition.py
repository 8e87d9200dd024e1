"""A language of the world is one file and one yaml: with them it is trained on and evaluated in."""

import shutil

import pandas
import pytest
import yaml

from src.data.world import languages, render
from src.pipeline.execute import execute
from src.store.records import seen_of
from tests.helpers.configs import prepare
from tests.helpers.paths import ROOT


@pytest.fixture
def italian(tmp_path, monkeypatch):
    """The override that takes the folder of the yaml, which stands beside the file of the language."""
    folder = tmp_path / "addition"
    (folder / "world").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "helpers" / "italian.py", folder / "it.py")
    monkeypatch.setattr(languages, "__path__", [*languages.__path__, str(folder)])
    world = yaml.safe_load((ROOT / "conf" / "world" / "tiny.yaml").read_text())
    named = {"languages": ["it", "fr", "en"], "trained_languages": ["it"], "evaluated_languages": ["it", "fr"]}
    sizes = {"sft_examples_per_language": 8, "validation_examples_per_language": 2}
    (folder / "world" / "mine.yaml").write_text(yaml.safe_dump(world | named | sizes))
    yield f"hydra.searchpath=[file://{folder}]"
    render.world_language.cache_clear()


def test_a_world_language_is_one_file_and_one_yaml(tmp_path, overrides, italian):
    assert "it" in render.world_languages()
    more = [item for item in overrides if not item.startswith("world.")]
    more += [italian, "world=mine", "evaluation.languages=[it,fr]", "evaluation.problems=2", "grpo.steps=1"]
    built, directory = prepare(tmp_path, "+experiment=adamame_grpo", *more, "schedule.per_language.it.maximum=1")
    assert built.detector.languages[-1] == "it"
    execute(built, directory, directory / "config.yaml")
    records = pandas.read_parquet(directory / "evaluate" / "records.parquet")
    assert set(records["language"]) == {"it", "fr"} and seen_of([directory / "evaluate" / "records.parquet"]) == ["it"]


def test_a_file_that_defines_another_language_is_named(tmp_path, monkeypatch):
    shutil.copy(ROOT / "tests" / "helpers" / "italian.py", tmp_path / "nl.py")
    monkeypatch.setattr(languages, "__path__", [*languages.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match=r"languages/nl.py must define the language 'nl'; its code is 'it'"):
        render.world_language("nl")

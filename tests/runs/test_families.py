"""Every family of models through the whole recipe, full and with adapters: `pytest -m slow -s tests/runs/test_families.py`
prints the table."""

import json
import time

import pandas
import pytest

from src.common.errors import UserError
from src.pipeline.execute import execute
from src.rollout.engines.native import UnsupportedArchitecture
from src.tracking.metrics_file import read_metrics
from tests.helpers import families
from tests.helpers.configs import prepare

pytestmark = pytest.mark.slow
COLUMNS = ("family", "weights", "SFT", "export, reload", "GRPO hf", "evaluate hf", "native", "seconds")
SMALL = (
    "scale=tiny",
    "world.languages=[fr,ja,en]",
    "world.trained_languages=[fr,ja]",
    "world.evaluated_languages=[fr,en]",
    "pretrain.from_scratch=false",
    "world.sft_examples_per_language=8",
    "world.validation_examples_per_language=0",
    "sft.sequences_per_step=8",
    "grpo.steps=2",
    "grpo.prompts_per_step=2",
    "grpo.completions_per_prompt=4",
    "grpo.prompts_per_language=4",
    "rollout=hf",
    "rollout.maximum_new_tokens=8",
    "evaluation.problems=1",
    "evaluation.splits=[test]",
    "checkpoint.every_steps=2",
    "distributed.processes=1",
)


@pytest.fixture(scope="module")
def lines():
    """The rows of the table, printed at the end."""
    rows: list[tuple[str, ...]] = []
    yield rows
    print("\n| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for row in rows:
        print("| " + " | ".join(row) + " |")


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("family", families.FAMILIES)
def test_a_family_goes_through_the_recipe(tmp_path, lines, family, rank):
    began = time.time()
    source = families.write(tmp_path / "model", family)
    eager = ("model.attention=eager",) if family in families.EAGER else ()
    start = (*SMALL, f"model.path={source}", f"root={tmp_path / 'runs'}", *eager)
    built, directory = prepare(
        tmp_path, "+experiment=grpo", "stages=[sft,grpo,evaluate]", *start, f"model.lora.rank={rank}"
    )
    execute(built, directory, directory / "config.yaml")
    steps = read_metrics(directory / "grpo" / "metrics.jsonl")
    gap = max(line["sampler_gap"] for line in steps)
    records = pandas.read_parquet(directory / "evaluate" / "records.parquet")
    (losses,) = [read_metrics(file) for file in (tmp_path / "runs").rglob("sft*/metrics.jsonl")]
    exported = directory / "grpo" / "model"
    assert len(steps) == 2 and gap < 1e-4 and len(records) == 2 and losses[-1]["loss"] > 0
    assert json.loads((exported / "config.json").read_text())["architectures"]
    again = ("+experiment=evaluate", "benchmark=world", *SMALL, *eager, f"model.path={exported}", "rollout=native")
    built, directory = prepare(tmp_path / "native", *again, f"root={tmp_path / 'again'}", "stages=[evaluate]")
    try:
        execute(built, directory, directory / "config.yaml")
        native = "yes"
    except UserError as error:
        assert isinstance(error, UnsupportedArchitecture)
        native = "refused"
    assert (native == "yes") == (family in ("llama", "qwen2", "qwen3"))
    kind = "all" if rank == 0 else f"LoRA {rank}"
    loss = f"{losses[0]['loss']:.2f} to {losses[-1]['loss']:.2f}"
    lines.append((family, kind, loss, "yes", f"gap {gap:.0e}", "yes", native, f"{time.time() - began:.0f}"))

"""`debug=true` is the smallest run of an experiment, in a folder of its own; what is given beside it holds."""

from pathlib import Path

from omegaconf import OmegaConf

from src.config.compose import composed
from src.config.debug import SMALLEST, smallest
from src.config.directory import directory_of
from tests.helpers.configs import compose_node


def test_every_setting_of_the_smallest_run_is_one():
    node = compose_node("+experiment=grpo", *SMALLEST)
    assert OmegaConf.select(node, "grpo.steps") == 2


def test_the_smallest_run_is_small_at_every_scale_and_what_is_given_goes_before():
    for scale in ("laptop", "tiny"):
        config = composed(["+experiment=dapo", f"scale={scale}", "debug=true"])
        assert (config.grpo.steps, config.distributed.processes, config.pretrain.from_scratch) == (2, 1, False)
        assert config.world.name == "small"
    config = composed(["debug=True", "+experiment=grpo", "grpo.steps=5"])
    assert config.grpo.steps == 5 and config.evaluation.problems == 2


def test_it_is_off_unless_asked_for_and_lies_apart():
    assert smallest(["+experiment=grpo", "debug=false"]) == ["+experiment=grpo"] == smallest(["+experiment=grpo"])
    assert directory_of(["+experiment=grpo", "debug=true"]).parent == Path("runs/debug/laptop/grpo")
    assert directory_of(["+experiment=grpo", "debug=true", "root=R"]).parent == Path("R/laptop/grpo")

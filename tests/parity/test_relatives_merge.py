"""relatives.json, units `merge.*`: one tensor of two models by each rule."""

import json

import pytest
import torch

from src.models.merge.base import Place
from src.models.merge.dare import Dare
from src.models.merge.layer_swap import LayerSwap
from src.models.merge.linear import Linear
from src.models.merge.task_arithmetic import TaskArithmetic
from src.models.merge.ties import Ties
from tests.helpers.golden import files
from tests.helpers.paths import GOLDEN

RULES = {
    "linear": Linear,
    "task_arithmetic": TaskArithmetic,
    "ties": Ties,
    "dare": Dare,
    "layer_swap": LayerSwap,
}
MODELS = ("a", "b", "c", "d", "e")


def cases():
    """(case, tolerance of its file), of all files."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in files("relatives.json")]
    return [
        (case, content["tolerance"])
        for content in contents
        for case in content["cases"]
        if case["unit"].startswith("merge.")
    ]


CASES = cases()
if not CASES:
    pytest.skip(f"no golden vectors of merging in {GOLDEN}; set GOLDEN_DIR", allow_module_level=True)


class Masked(Dare):
    """DARE with the masks of a case: one for all models, or one for each in order."""

    def __init__(self, mask, **settings):
        super().__init__(**settings)
        rows = mask if isinstance(mask[0], list) else [mask]
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "asked", [])

    def masks(self, place, rank):
        row = self.rows[len(self.asked) % len(self.rows)]
        self.asked.append(row)
        return lambda shape: torch.tensor(row)


def merged(unit, spec, settings):
    settings = {key: value for key, value in (spec | settings).items() if key not in (*MODELS, "base")}
    tensors = [torch.tensor(spec[name], dtype=torch.float64) for name in MODELS if name in spec]
    base = torch.tensor(spec["base"], dtype=torch.float64) if "base" in spec else None
    if unit == "linear" and len(settings.get("weights", ())) == len(tensors) + 1:
        tensors = [base, *tensors]  # a soup with the base in it
    if unit == "dare":
        return Masked(settings.pop("mask"), **settings)(Place("w"), base, tensors)
    return RULES[unit](**settings)(Place("w"), base, tensors)


@pytest.mark.parametrize(("case", "tolerance"), CASES, ids=[case["id"] for case, _ in CASES])
def test_merged_tensors(case, tolerance):
    assert case["in"] and len(case["in"]) == len(case["out"])
    for settings, expected in zip(case["in"], case["out"], strict=True):
        result = merged(case["unit"].removeprefix("merge."), case["spec"], settings)
        assert result.tolist() == pytest.approx(expected, abs=tolerance), settings

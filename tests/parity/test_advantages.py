"""Every variant of advantages.json: reproduced, or reported as not yet supported."""

import pytest
from golden import golden

from src.algorithm.advantages import advantages
from src.algorithm.alignment import diversity_decay
from src.algorithm.schedules.constant import Constant
from src.algorithm.schedules.cosine import Cosine
from src.algorithm.spec import AdvantageSpec

VARIANTS = {
    "grpo": (AdvantageSpec("std", diversity=False, alignment=False), Cosine),
    "dr_grpo": (AdvantageSpec("mean", diversity=False, alignment=False), Cosine),
    "align": (AdvantageSpec("std", diversity=False, alignment=True), Cosine),
    "const": (AdvantageSpec("std", diversity=False, alignment=True), Constant),
    "qlang": (AdvantageSpec("std", diversity=True, alignment=False), Cosine),
    "adamame": (AdvantageSpec("std", diversity=True, alignment=True), Cosine),
}
ENTRIES = golden("advantages.json")


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["variant"] for entry in ENTRIES])
def test_advantages(entry):
    if entry["variant"] not in VARIANTS:
        pytest.xfail(f"variant {entry['variant']} is not yet supported")
    spec, schedule = VARIANTS[entry["variant"]]
    assert entry["cases"]
    for case in entry["cases"]:
        progress = case["step"] / case["total_steps"]
        result = advantages(
            spec,
            rewards=case["rewards"],
            reasoning=case["reasoning_languages"],
            query=case["query_languages"],
            groups=case["groups"],
            factor=schedule(maximum=case["bonus"]).factor(progress),
            decay=diversity_decay(progress),
        )
        assert result.advantage.tolist() == pytest.approx(case["advantages"], abs=1e-4)

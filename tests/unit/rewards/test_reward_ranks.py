"""Two ranks earn for a step what one earns, though parts compare all rollouts of it."""

import json

from src.distributed.ranks import Ranks
from src.distributed.spawn import launch
from tests.helpers.reward_ranks import NAMES, credits


def test_two_ranks_earn_what_one_earns(tmp_path):
    launch("tests.helpers.reward_ranks", [str(tmp_path)], 2)
    alone = credits(Ranks())
    assert set(alone) == set(NAMES)
    for rank in (0, 1):
        assert json.loads((tmp_path / f"rank{rank}.json").read_text()) == alone
    assert all(len(set(map(str, total))) > 1 for total, _ in alone.values())  # there is something to differ in

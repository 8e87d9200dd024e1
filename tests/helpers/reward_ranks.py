"""What ranks earn for their common step, for `test_reward_ranks.py`: `python -m tests.helpers.reward_ranks <folder>` under
`src.distributed.spawn`. Each judges its share of the rollouts, as in training."""

import json
import sys
from pathlib import Path

from src.distributed.ranks import Ranks, init_ranks, shutdown_ranks
from src.distributed.spec import DistributedSpec
from src.rewards.base import Sample
from src.rewards.examples import sample
from src.training.credit import assign_credit
from tests.helpers.configs import compose

NAMES = ("explang_explore", "explang_exploit", "consistency")
PROMPTS = [("p", "sw", "72"), ("p", "en", "72"), ("p", "fr", "71"), ("q", "sw", "72"), ("q", "en", "71")]


def prompt(group: int) -> list[Sample]:
    """Three completions of one prompt, of which some select a language, comply, or are right."""
    problem, code, answer = PROMPTS[group]
    rows = [sample(answer == "72", code, query_language=code, problem=problem, group=group)]
    chosen = "en" if group % 2 else "sw"
    text = f"<lang_select>{chosen}</lang_select><think>a</think>\\boxed{{{answer}}}"
    rows.append(sample(answer == "72", chosen, completion=text, query_language=code, problem=problem, group=group))
    rows.append(sample(False, "fr", query_language=code, problem=problem, group=group))
    return rows


def credits(ranks: Ranks) -> dict[str, list[list[float | None]]]:
    """Of each reward what every rollout of the step earns, and its advantage by GDPO."""
    own = [row for group in ranks.shard(range(len(PROMPTS))) for row in prompt(group)]
    step = sorted(ranks.gather(own), key=lambda row: row.group)
    earned = {}
    for name in NAMES:
        config = compose("+experiment=grpo", "objective=gdpo", f"reward={name}")
        credit = assign_credit(config.reward, config.objective.advantage, config.schedule.start(), step, progress=0.5)
        earned[name] = [credit.scores.total, credit.result.advantage.tolist()]
    return earned


if __name__ == "__main__":
    ranks = init_ranks(DistributedSpec())
    (Path(sys.argv[1]) / f"rank{ranks.rank}.json").write_text(json.dumps(credits(ranks)))
    shutdown_ranks()

"""A chat model as judge: which of the intermediate results of a reference stand in another trace?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from src.language.table import language
from src.services.base import Answers, Pair
from src.services.cache import Cache
from src.services.chat import ChatClient, Reply
from src.services.remote import Remote
from src.services.spec import JudgeSpec

PROMPT = """Two solutions of one problem follow. The first is in {reference_language}, the second in {language}.

Go through the first solution and list its key intermediate results: definitions, equations, values and the final result. \
Then look for each of them in the second solution, whatever its wording. What only one of the two says about the way there \
does not matter, nor does the order.

<first>
{reference}
</first>

<second>
{text}
</second>

Write the number of results that the second solution has, divided by the number of results in your list, as a decimal number \
between 0 and 1 within <score> and </score>, and nothing after that."""
_SCORE = re.compile(r"<score>\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(?:/\s*([0-9]+(?:\.[0-9]+)?))?\s*</score>")


class RemoteJudge(Remote[float]):
    """See `src.services.base.Scorer`: the share in [0, 1] of the reference's results that the judge says are in the text."""

    def __init__(self, spec: JudgeSpec, cache: Cache) -> None:
        super().__init__(spec, cache)
        self.spec = spec

    def __call__(self, pairs: Sequence[Pair], step: int) -> Answers[float]:
        return self.answers(pairs, step)

    def settings(self) -> dict[str, Any]:
        return {**self.spec.answers(), "prompt": PROMPT}

    def connect(self) -> ChatClient:
        return ChatClient(self.spec, self.secret)

    async def ask(self, client: ChatClient, items: Sequence[Pair]) -> list[float]:
        return [await client.ask_for(prompt(pair), score_of) for pair in map(Pair._make, items)]


def prompt(pair: Pair) -> str:
    """What the judge is asked."""
    names = {"language": pair.language, "reference_language": pair.reference_language}
    return PROMPT.format(
        text=pair.text, reference=pair.reference, **{name: language(code).name for name, code in names.items()}
    )


def score_of(reply: Reply) -> float | None:
    """The last score of a reply, a number or a fraction; None where there is none in [0, 1]."""
    scores = _SCORE.findall(reply.content)
    if not scores:
        return None
    share, of = scores[-1]
    if of and not float(of):
        return None
    value = float(share) / (float(of) if of else 1.0)
    return value if 0 <= value <= 1 else None

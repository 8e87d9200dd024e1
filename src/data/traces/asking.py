"""Many requests at once, a bounded number in flight, within the budget; every answer is kept the moment it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from src.common.errors import UserError
from src.data.traces.answers import Answer, AnswerFile, Request
from src.services.budget import Purse
from src.services.chat import ChatClient
from src.services.http import Unanswered
from src.services.spec import TeacherSpec

TEMPLATE = 64  # tokens a chat template may add to a question, of which a token is at least a byte


class GivenUp(UserError):
    """Too many requests came to nothing."""


async def ask_all(
    spec: TeacherSpec,
    key: str,
    left: Sequence[Request],
    file: AnswerFile,
    spent: float,
    advance: Callable[[int, str], None],
) -> list[tuple[Request, str]]:
    """Ask all requests and add their answers to the file; returns those without an answer, with the last reason.

    When one request is refused, or the budget ends, those in flight are still waited for and kept: they are paid.

    Raises:
        Refused, OverBudget: see there.
        GivenUp: as many requests in a row as go at once came to nothing.
    """
    waiting = deque(left)
    purse = Purse(spec, spent)
    failed: list[tuple[Request, str]] = []
    in_a_row = 0
    stop: list[Exception] = []

    async def work(teacher: ChatClient) -> None:
        nonlocal in_a_row
        while waiting and not stop:
            request = waiting.popleft()
            maximum_cost = spec.cost(len(request.text.encode(errors="replace")) + TEMPLATE, spec.maximum_tokens)
            cost = 0.0
            reserved = False
            try:
                await purse.reserve(maximum_cost)
                reserved = True
                if stop:  # while this one waited for room
                    return
                answer = Answer.of(request, await teacher.ask(request.text))
                cost = spec.cost(answer.prompt_tokens, answer.completion_tokens)
                file.add(answer)
                in_a_row = 0
                advance(1, f"spent {purse.spent + cost:.2f}" if spec.budget else "")
            except Unanswered as error:
                failed.append((request, str(error)))
                in_a_row += 1
                if in_a_row >= spec.concurrency:
                    stop.append(GivenUp(f"{in_a_row} requests in a row came to nothing; the last: {error}. {_AGAIN}"))
            except Exception as error:
                stop.append(error)
            finally:
                if reserved:
                    await purse.settle(maximum_cost, cost)
            if stop:
                teacher.stopped.set()

    async with ChatClient(spec, key) as teacher:
        await asyncio.gather(*(work(teacher) for _ in range(min(spec.concurrency, len(left)))))
    if stop:
        raise stop[0]
    return failed


_AGAIN = (
    "Answers so far are kept. See whether traces.teacher.url is up, then give the same command again: it asks only for "
    "the others"
)


def check_unanswered(spec: TeacherSpec, failed: Sequence[tuple[Request, str]], total: int) -> None:
    """Raise `GivenUp` when a larger share than `traces.teacher.unanswered` of all requests is without an answer."""
    if failed and len(failed) > spec.unanswered * total:
        request, reason = failed[-1]
        raise GivenUp(
            f"{len(failed)} of {total} requests have no answer, such as problem {request.question.problem} "
            f"({request.question.language}): {reason}. {_AGAIN}, or traces.teacher.unanswered=<share> does without them"
        )

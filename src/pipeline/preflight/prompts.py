"""Is the prompt what was asked? The first and the longest questions of each language, through template and tokenizer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from src.data.records import Example, Question
from src.models.context import context_of
from src.models.roundtrip import lost
from src.pipeline.preflight.settings import rows_of, too_large
from src.strategies.base import Strategy, asks_of
from src.strategies.plain import Plain

if TYPE_CHECKING:
    from src.data.chat import Chat

Row = TypeVar("Row", bound=Question)
PLAIN = Plain()
FIRST = 2  # questions of a language that are looked at
LONGEST = 3  # and of its longest by characters, whose tokens are counted


def problems(
    chat: Chat,
    settings: Any,
    questions: Sequence[Question],
    budget: int,
    limit: int | None = None,
    served: int | None = None,
    strategy: Strategy = PLAIN,
) -> Iterator[str]:
    """Sentences about prompts that are not what was asked, that hold tokens the model has no row for, or that leave no room
    for `budget` tokens in its context. Questions are asked as `strategy` does, of later rounds without what is said before. Questions whose prompts have more than `limit` tokens are left out by the stage; `served` is how many the
    engine makes room for."""
    changed: dict[str, str] = {}
    longest = (0, "")
    rows = rows_of(settings)
    beyond: int | None = None
    for row in chosen(questions):
        where = f"problem {row.problem} ({row.language})"
        learned = chat.target(row.completion) if isinstance(row, Example) else ""
        answer = chat.completion(row.completion) if isinstance(row, Example) else []
        of_row = 0
        for ask in asks_of(PLAIN if isinstance(row, Example) else strategy, row, chat.instruction):
            text = chat.conversation_text(ask.turns, ask.prefill)
            tokens = chat.conversation(ask.turns, ask.prefill)
            asked = ask.turns[-1].strip()
            if asked not in text:
                changed.setdefault(row.language, f"{where}: the chat template makes {text[-120:]!r} of {asked[:60]!r}")
            elif difference := lost(chat.tokenizer, text) or (learned and lost(chat.tokenizer, learned)):
                changed.setdefault(row.language, f"{where}: {difference}")
            if rows is not None:
                beyond = next((token for token in tokens + answer if token >= rows), beyond)
            of_row = max(of_row, len(tokens))
        length = of_row + len(answer)
        if (limit is None or isinstance(row, Example) or of_row <= limit) and length > longest[0]:
            longest = (min(length, limit) if limit is not None and isinstance(row, Example) else length, where)
    if changed:
        listed = "".join(f"\n  {line}" for line in list(changed.values())[:6])
        yield (
            f"a prompt must hold its question, and tokens must give the text back; in {', '.join(changed)} they do not:"
            f"{listed}\n  Use the tokenizer and template that the model was trained with, or give a template with "
            "model.chat_template=<file>"
        )
    if beyond is not None and rows is not None:
        yield too_large(chat.tokenizer, rows, beyond, str(chat.tokenizer.name_or_path))
    if served is not None and longest[0] > served:
        yield (
            f"rollout.vllm.maximum_prompt_tokens must be at least the length of every prompt; got {served}, and that of "
            f"{longest[1]} has {longest[0]} tokens. Raise it, or leave long prompts out with grpo.maximum_prompt_tokens"
        )
    context = context_of(settings)
    if context is not None and longest[0] + budget > context:
        room = f"{longest[0]} tokens ({longest[1]})" + (f" and rollout.maximum_new_tokens={budget}" if budget else "")
        fix = (
            "Lower rollout.maximum_new_tokens, or leave long prompts out with grpo.maximum_prompt_tokens"
            if budget
            else "Cut the examples with sft.cutoff"
        )
        yield (
            f"a sequence must fit the model's context of {context} tokens (max_position_embeddings in its config.json); "
            f"there are up to {room}. {fix}"
        )


def notes(chat: Chat, questions: Sequence[Question]) -> list[str]:
    """What is no fault of the run, and should be known: questions that hold the text of special tokens."""
    marks = [token.content for token in chat.tokenizer.added_tokens_decoder.values() if token.special]
    special = re.compile("|".join(map(re.escape, filter(str.strip, marks))) or r"(?!)")
    held = [(row, match[0]) for row in questions if (match := special.search(row.question))]
    if not held:
        return []
    row, mark = held[0]
    return [
        f"{len(held)} of {len(questions):,} questions hold special tokens of this tokenizer as text, which it takes for the "
        f"tokens themselves (problem {row.problem}, {row.language}: {mark})"
    ]


def chosen(questions: Sequence[Row]) -> list[Row]:
    """Of each language the first ones and the longest ones."""
    groups: dict[str, list[Row]] = {}
    for question in questions:
        groups.setdefault(question.language, []).append(question)
    picked: list[Row] = []
    for group in groups.values():
        own = group[:FIRST] + sorted(group[FIRST:], key=_characters, reverse=True)[:LONGEST]
        picked += own
    return picked


def _characters(row: Question) -> int:
    return len(row.question) + (len(row.completion) if isinstance(row, Example) else 0)

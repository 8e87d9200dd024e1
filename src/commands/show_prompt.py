"""What a model is really shown: `python -m src show-prompt +experiment=<name> model.path=<folder> [key=value ...]`.

One question of each language, as SFT and GRPO have it: special tokens visible, tokens counted, and where sampling begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src.commands.base import show_of_config
from src.common.errors import UserError
from src.config.schema import Config
from src.data.chat import Chat, decode
from src.data.records import Example, Question
from src.models.spec import WORLD_BASE

BEGINS = "▶"
EXPLAINED = {
    "template": "the chat template ends the prompt with <think>",
    "model": "the model writes <think> itself",
    "none": "thinking is not marked",
}


def show(config: Config) -> str:
    """The page: how thinking is marked, then the prompts, language after language."""
    from src.data import sources

    chat = _chat(config)
    lines = [
        f"model: {config.model.path}",
        f"chat template: {EXPLAINED[chat.template_think]} (found); model.think={config.model.think}: {EXPLAINED[chat.think]}",
        f"instruction: {chat.instruction}; {BEGINS} is where sampling begins, and learning",
    ]
    questions = sources.grpo_questions(config.data, config.world, 1, config.seed)
    examples = sources.sft_examples(config.data, config.world, config.seed)
    for kind, rows in (("GRPO", _one_each(questions)), ("SFT", _one_each(examples))):
        for code, row in rows.items():
            lines += ["", f"== {kind} {code} ==", shown(chat, row)]
    return "\n".join(lines)


def shown(chat: Chat, row: Question) -> str:
    """The prompt with its number of tokens, and of an example what is learned after it."""
    prompt = chat.prompt(row)
    text = decode(chat.tokenizer, prompt)
    note = f"{len(prompt)} prompt tokens"
    learned = ""
    if isinstance(row, Example):
        completion = chat.completion(row.completion)
        learned = decode(chat.tokenizer, completion)
        note += f", {len(completion)} learned"
    return f"[{note}]\n{text}{BEGINS}{learned}"


def _chat(config: Config) -> Chat:
    from src.models.load import load_tokenizer
    from src.pipeline.plan import shipped_base

    path = config.model.path
    if path == WORLD_BASE:
        path = str(shipped_base(config.world.name))
        if not Path(path).is_dir():
            raise UserError(
                f"model.path must be given: world={config.world.name} has no base model before the stage pretrain makes one"
            )
    return Chat.of(load_tokenizer(path, config.model), config.data.instruction, config.model)


def _one_each(rows: list[Question] | list[Example]) -> dict[str, Question]:
    first: dict[str, Question] = {}
    for row in rows:
        first.setdefault(row.language, row)
    return dict(sorted(first.items()))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    return show_of_config(show, arguments, __doc__ or "")

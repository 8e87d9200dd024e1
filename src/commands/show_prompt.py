"""What a model is really shown: `python -m src show-prompt +experiment=<name> model.path=<folder> [key=value ...]`.

One question of each language, as SFT, GRPO and evaluation have it, with the strategy and the mix of the run: special tokens visible,
tokens counted, and where sampling begins.
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
from src.strategies.base import Ask, Reply

BEGINS = "▶"
EXPLAINED = {
    "template": "the chat template ends the prompt with <think>",
    "model": "the model writes <think> itself",
    "none": "thinking is not marked",
}


def show(config: Config) -> str:
    """The page: how thinking is marked, then the prompts, language after language."""
    chat = _chat(config)
    name = type(config.strategy).__module__.rpartition(".")[2]
    lines = [
        f"model: {config.model.path}",
        f"chat template: {EXPLAINED[chat.template_think]} (found); model.think={config.model.think}: {EXPLAINED[chat.think]}",
        f"instruction: {chat.instruction}; strategy: {name}; {BEGINS} is where sampling begins, and learning",
    ]
    if chat.template.dated:
        lines.append(f"the chat template writes a date, always that of model.date={config.model.date}")
    for kind, rows in _kinds(config).items():
        for code, row in _one_each(rows).items():
            if isinstance(row, Example):
                lines += ["", f"== {kind} {code} ==", shown(chat, row)]
                continue
            for number, ask in enumerate(_rounds(config, row)):
                lines += ["", f"== {kind} {code}{f', round {number + 1}' if number else ''} ==", shown(chat, row, ask)]
    return "\n".join(lines)


def shown(chat: Chat, row: Question, ask: Ask | None = None) -> str:
    """The prompt with its number of tokens, and of an example what is learned after it; `ask` is what a strategy makes of the
    question."""
    prompt = chat.prompt(row) if ask is None else chat.conversation(ask.turns, ask.prefill)
    text = decode(chat.tokenizer, prompt)
    note = f"{len(prompt)} prompt tokens"
    learned = ""
    if isinstance(row, Example):
        completion = chat.completion(row.completion)
        learned = decode(chat.tokenizer, completion)
        note += f", {len(completion)} learned"
    return f"[{note}]\n{text}{BEGINS}{learned}"


def _rounds(config: Config, row: Question) -> list[Ask]:
    """What the strategy asks about the first sample of a question, round after round, with a stand-in for the replies."""
    replies: list[Reply] = []
    asks: list[Ask] = []
    for _ in range(config.strategy.rounds):
        ask = config.strategy(row, config.data.instruction, 0, 0, replies)
        if ask is None:
            break
        asks.append(ask)
        replies.append(Reply("…</think>…" if config.model.thinks else "…", 0.0))
    return asks


def _kinds(config: Config) -> dict[str, Sequence[Question]]:
    """What the stages of the run put to the model or learn from; of an evaluation the first split."""
    from src.data import sources

    kinds: dict[str, Sequence[Question]] = {}
    if "grpo" in config.stages:
        kinds["GRPO"] = sources.grpo_questions(config.data, config.world, 1, config.seed)
    if "sft" in config.stages:
        kinds["SFT"] = sources.sft_examples(config.data, config.world, config.seed, config.mix)
    if "evaluate" in config.stages and config.benchmark.completions is None:
        split, languages = config.evaluation.splits[0], config.evaluation.languages
        kinds["evaluation"] = sources.evaluation_questions(config.benchmark, config.world, split, languages, 1)
    return kinds


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


def _one_each(rows: Sequence[Question]) -> dict[str, Question]:
    first: dict[str, Question] = {}
    for row in rows:
        first.setdefault(row.language, row)
    return dict(sorted(first.items()))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    return show_of_config(show, arguments, __doc__ or "")

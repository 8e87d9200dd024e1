"""From a question to prompt tokens, and from a completion to the tokens to learn: the same for SFT, GRPO, evaluation.

A prompt ends where sampling begins. What a worked example teaches begins at that very token, so the opening `<think>`
is in the prompt or in what is learned, as the model's own chat template has it:

    template  the generation prompt ends with `<think>` (DeepSeek-R1-Distill)
    model     the model writes `<think>` itself (Qwen3)
    none      thinking is not marked (Qwen2); of a template that can switch it off, it is off
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.common.errors import UserError
from src.data.notation import plain_notation
from src.data.records import Question
from src.data.spec import PLAIN
from src.language.table import language
from src.models.spec import ModelSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OPENING = "<think>\n"
_OPENS = re.compile(r"<think>\s*\Z")
_BEGINS = re.compile(r"\s*<think>[ \t]*\n*")


class UnclearThinking(UserError):
    """A chat template and the settings do not say how thinking is marked."""


def question_text(question: Question, instruction: str) -> str:
    """The user's message: the question, with `localised` after a line in its language that asks for a boxed answer, with
    `plain` in plain notation (`src.data.notation`), with `localised_plain` both."""
    text = plain_notation(question.question, question.language) if instruction in PLAIN else question.question
    if instruction in ("none", "plain"):
        return text
    row = language(question.language)
    line = row.instruction_choice if question.kind == "choice" else row.instruction
    return f"{line}\n\n{text}"


@dataclass(frozen=True)
class Chat:
    """Renders prompts and targets with the chat template of `tokenizer`.

    `think` is who opens the thinking (`template`, `model` or `none`), `template_think` what the template itself does.
    """

    tokenizer: PreTrainedTokenizerBase
    instruction: str
    think: str
    template_think: str

    @staticmethod
    def of(tokenizer: PreTrainedTokenizerBase, instruction: str, spec: ModelSpec) -> Chat:
        """As `spec.think` says, by default as the template does.

        Raises:
            UnclearThinking: nobody opens the thinking, yet completions are to be read as if they marked it.
        """
        template_think = thinking_of(tokenizer)
        think = template_think if spec.think == "auto" else spec.think
        if think == "none" and spec.thinks:
            raise UnclearThinking(
                "model.thinks must be false for a model that does not mark its thinking, and the chat template of this "
                "one neither opens <think> nor speaks of it. Give model.thinks=false, or model.think=model (the model "
                "learns to write <think> itself) or model.think=template (every prompt ends with it)"
            )
        return Chat(tokenizer, instruction, think, template_think)

    def text(self, message: str) -> str:
        """The prompt of a user's message as text, special tokens included, up to where sampling begins."""
        text = _rendered(self.tokenizer, message, self.think != "none")
        opening = _OPENS.search(text)
        if self.think == "template":
            return text if opening else text + OPENING
        return text[: opening.start()] if opening else text

    def tokens(self, message: str) -> list[int]:
        """The prompt tokens of a user's message."""
        return list(self.tokenizer(self.text(message), add_special_tokens=False)["input_ids"])

    def prompt(self, question: Question) -> list[int]:
        """The prompt tokens of a question."""
        return self.tokens(question_text(question, self.instruction))

    def target(self, completion: str) -> str:
        """The text that is learned after a prompt, whether or not the example's completion begins with `<think>`."""
        if self.think == "none":
            return completion
        begins = _BEGINS.match(completion)
        text = completion[begins.end() :] if begins else completion
        if self.think == "model":
            return OPENING + text
        return text if self.text("").endswith("\n") else "\n" + text

    def completion(self, completion: str) -> list[int]:
        """The tokens that are learned after a prompt, with the end token."""
        return completion_tokens(self.tokenizer, self.target(completion))


def thinking_of(tokenizer: PreTrainedTokenizerBase) -> str:
    """Who opens the thinking by the chat template alone: `template`, `model` or `none`."""
    on, off = (_rendered(tokenizer, "", enabled) for enabled in (True, False))
    if _OPENS.search(on):
        return "template"
    return "model" if on != off or "</think>" in str(tokenizer.chat_template) else "none"


def completion_tokens(tokenizer: PreTrainedTokenizerBase, completion: str) -> list[int]:
    """A text and the end token."""
    return [*tokenizer(completion, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]


def decode(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    """The text of sampled tokens, without the end token; special tokens such as `</think>` are kept."""
    content = tokens[:-1] if tokens and tokens[-1] == tokenizer.eos_token_id else tokens
    return str(tokenizer.decode(list(content), skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _rendered(tokenizer: PreTrainedTokenizerBase, message: str, thinking: bool) -> str:
    return str(
        tokenizer.apply_chat_template(
            [{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True, enable_thinking=thinking
        )
    )

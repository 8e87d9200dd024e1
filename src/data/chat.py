"""From a question to prompt tokens, and from a completion to the tokens to learn: the same for SFT, GRPO, evaluation.

A prompt ends where sampling begins. What a worked example teaches begins at that very token, so the opening `<think>`
is in the prompt or in what is learned, as the model's own chat template has it:

    template  the generation prompt ends with `<think>` (DeepSeek-R1-Distill)
    model     the model writes `<think>` itself (Qwen3)
    none      thinking is not marked (Qwen2); of a template that can switch it off, it is off; tags of examples are dropped
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.common.errors import UserError
from src.data.notation import plain_notation
from src.data.records import TEXT, Question
from src.data.spec import PLAIN
from src.language.table import language
from src.language.trace import TAGS
from src.models.ends import learned_end
from src.models.spec import ModelSpec
from src.models.template import DATE, SWITCHES, Template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OPENING = "<think>\n"
_OPENS = re.compile(r"<think>\s*\Z")
_BEGINS = re.compile(r"\s*<think>[ \t]*\n*")
_SELECTS = re.compile(r"\s*<lang_select>[^<]*</lang_select>\s*")  # what stands before the thinking
_CLOSED = re.compile(rf"(?:{'|'.join(closing for _, closing in TAGS)})\s*\Z", re.IGNORECASE)
_CLOSES = re.compile(r"(\s*)</think>(\s*)")


class UnclearThinking(UserError):
    """A chat template and the settings do not say how thinking is marked."""


def question_text(question: Question, instruction: str) -> str:
    """The user's message: the question, with `localised` after a line in its language that asks for a boxed answer, with
    `plain` in plain notation (`src.data.notation`), with `localised_plain` both. What is no question stays as it is."""
    if question.kind == TEXT:
        return question.question
    text = plain_notation(question.question, question.language) if instruction in PLAIN else question.question
    if instruction in ("none", "plain"):
        return text
    row = language(question.language)
    line = row.instruction_choice if question.kind == "choice" else row.instruction
    return f"{line}\n\n{text}"


@dataclass(frozen=True)
class Chat:
    """Renders prompts and targets with the chat template of `tokenizer`.

    `think` is who opens the thinking (`template`, `model` or `none`), `template_think` what the template itself does. `end`
    is the token that ends what is learned, `end_marks` is every end token as text.
    """

    tokenizer: PreTrainedTokenizerBase
    instruction: str
    think: str
    template_think: str
    template: Template
    end: int
    end_marks: tuple[str, ...]

    @staticmethod
    def of(tokenizer: PreTrainedTokenizerBase, instruction: str, spec: ModelSpec) -> Chat:
        """As `spec.think` says, by default as the template does.

        Raises:
            UnclearThinking: nobody opens the thinking, or the template closes it in the prompt, yet completions are to be
                read as if they marked it.
            UnusableTemplate: the question does not stand in the prompt.
        """
        template = Template.of(tokenizer, spec.date)
        template_think = thinking_of(tokenizer, template)
        think = template_think if spec.think == "auto" else spec.think
        if think == "none" and spec.thinks:
            raise UnclearThinking(
                "model.thinks must be false for a model that does not mark its thinking, and the chat template of this "
                "one neither opens <think> nor speaks of it. Give model.thinks=false, or model.think=model (the model "
                "learns to write <think> itself) or model.think=template (every prompt ends with it)"
            )
        if think != "none" and (closed := _CLOSED.search(template.render(""))):
            raise UnclearThinking(
                f"the prompt must leave the thinking open where model.think={think}; this chat template ends every prompt "
                f"with {closed[0].strip()}, and {', '.join(f'{name}=true' for name in SWITCHES)} does not change that. Give "
                "model.thinks=false with model.think=none, or a template that leaves it open with model.chat_template=<file>"
            )
        end = learned_end(tokenizer)
        marks = tuple(map(str, tokenizer.convert_ids_to_tokens([tokenizer.eos_token_id, end])))
        return Chat(tokenizer, instruction, think, template_think, template, end, marks)

    def text(self, *turns: str) -> str:
        """The prompt of a user's message as text, special tokens included, up to where sampling begins; of a conversation,
        the user's and the assistant's turns in turn."""
        text = self.template.render_turns(turns, self.think != "none")
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

    def conversation_text(self, turns: Sequence[str], prefill: str = "") -> str:
        """The prompt of a conversation as text; with a `prefill`, after which sampling begins, the thinking is open."""
        text = self.text(*turns)
        return text + (OPENING if prefill and self.think == "model" else "") + prefill

    def conversation(self, turns: Sequence[str], prefill: str = "") -> list[int]:
        """The prompt tokens of a conversation."""
        return list(self.tokenizer(self.conversation_text(turns, prefill), add_special_tokens=False)["input_ids"])

    def target(self, completion: str) -> str:
        """The text that is learned after a prompt, whether or not the example's completion begins with `<think>` or ends
        with the end token; where nobody marks the thinking, without its tags."""
        if self.think == "model" and (tag := _SELECTS.match(completion)):
            return tag[0] + self.target(completion[tag.end() :])
        begins = _BEGINS.match(completion)
        text = _without_end(completion[begins.end() :] if begins else completion, self.end_marks)
        if self.think == "none":
            return _CLOSES.sub(_one_break, text, count=1)
        if self.think == "model":
            return OPENING + text
        return text if self.text("").endswith("\n") else "\n" + text

    def completion(self, completion: str) -> list[int]:
        """The tokens that are learned after a prompt, with the end token."""
        return completion_tokens(self.tokenizer, self.target(completion), self.end)


def thinking_of(tokenizer: PreTrainedTokenizerBase, template: Template | None = None) -> str:
    """Who opens the thinking by the chat template alone: `template`, `model` or `none`."""
    template = template or Template.of(tokenizer, DATE)
    on, off = (template.render("", enabled) for enabled in (True, False))
    if _OPENS.search(on):
        return "template"
    return "model" if on != off or "</think>" in template.source else "none"


def completion_tokens(tokenizer: PreTrainedTokenizerBase, completion: str, end: int | None = None) -> list[int]:
    """A text and the token that ends it, by default the one that is taught."""
    last = learned_end(tokenizer) if end is None else end
    return [*tokenizer(completion, add_special_tokens=False)["input_ids"], last]


def decode(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    """The text of tokens; special tokens such as `</think>` are kept."""
    return str(tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _without_end(completion: str, marks: Sequence[str]) -> str:
    """A completion without the end token's text, where it was saved with it."""
    bare = completion.rstrip()
    return next((bare.removesuffix(mark) for mark in marks if bare.endswith(mark)), completion)


def _one_break(tag: re.Match[str]) -> str:
    """What stands for a closing tag: a line break, or a blank line where there was one."""
    return "\n\n" if "\n\n" in (tag[1] + tag[2]) else "\n"

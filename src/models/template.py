"""How a chat template is rendered: on a date that stands still, with thinking switched by the name that the template has
for it, and with content in the form that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from src.common.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DATE = "2024-07-26"  # what templates of Llama 3 write where they are given none
SWITCHES = ("enable_thinking", "thinking", "reasoning")  # names of the variable that switches thinking on and off
QUESTION = "Quelle question 7"  # stands in what a template that works renders
ANSWER = "Telle réponse 5"


class UnusableTemplate(UserError):
    """A chat template does not put the question into the prompt."""


@dataclass(frozen=True)
class Template:
    """The chat template of `tokenizer`, rendered as on `day`.

    `parts`: content is a list of typed parts, as templates of models for pictures want it. `system`: an empty system
    message comes first, without which the template refuses.
    """

    tokenizer: PreTrainedTokenizerBase
    day: str = DATE
    parts: bool = False
    system: bool = False

    @staticmethod
    def of(tokenizer: PreTrainedTokenizerBase, day: str = DATE) -> Template:
        """In the first form in which the question stands in the prompt.

        Raises:
            UnusableTemplate: there is none; the message says what came instead.
        """
        instead = ""
        for system in (False, True):
            for parts in (False, True):
                template = Template(tokenizer, day, parts, system)
                try:
                    text = template.render(QUESTION)
                except Exception as error:  # a template raises what it likes
                    instead = instead or f"it refuses: {str(error) or type(error).__name__:.200}"
                    continue
                if QUESTION in text:
                    return template
                instead = instead or f"of {QUESTION!r} it makes {text[-200:]!r}"
        raise UnusableTemplate(
            f"the chat template must put the question of a user into the prompt; {instead}. Give one that does with "
            "model.chat_template=<file>"
        )

    def render(self, message: str, thinking: bool = True) -> str:
        """The prompt of a user's message as text, up to where the assistant goes on."""
        return self._render([("user", message)], thinking, goes_on=True)

    def render_turns(self, turns: Sequence[str], thinking: bool = True) -> str:
        """The prompt of a conversation, the user's and the assistant's turns in turn, up to where the assistant goes on."""
        roles = ("user", "assistant")
        return self._render([(roles[place % 2], turn) for place, turn in enumerate(turns)], thinking, goes_on=True)

    def render_turn(self, message: str, answer: str) -> str:
        """A user's message and the assistant's whole answer as text."""
        return self._render([("user", message), ("assistant", answer)], True, goes_on=False)

    @property
    def source(self) -> str:
        """The template itself."""
        return str(self.tokenizer.get_chat_template())

    @property
    def dated(self) -> bool:
        """Whether the date stands in prompts."""
        return self.render(QUESTION) != Template(self.tokenizer, "2001-02-03", self.parts, self.system).render(QUESTION)

    def _render(self, turns: list[tuple[str, str]], thinking: bool, goes_on: bool) -> str:
        turns = [("system", ""), *turns] if self.system else turns
        messages: Any = [{"role": role, "content": self._content(text)} for role, text in turns]
        return str(
            self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=goes_on, **dict(self._variables(thinking))
            )
        )

    def _content(self, text: str) -> Any:
        return [{"type": "text", "text": text}] if self.parts else text

    def _variables(self, thinking: bool) -> Iterator[tuple[str, Any]]:
        today = datetime.combine(date.fromisoformat(self.day), datetime.min.time())
        yield "strftime_now", today.strftime
        yield "date_string", today.strftime("%d %b %Y")
        for name in SWITCHES:
            if re.search(rf"\b{name}\b", self.source):
                yield name, thinking

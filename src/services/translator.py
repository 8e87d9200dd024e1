"""A chat model as translator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from src.language.table import language
from src.services.base import Answers, Passage
from src.services.cache import Cache
from src.services.chat import ChatClient, Reply
from src.services.remote import Remote
from src.services.spec import TranslatorSpec

PROMPT = """Translate the text between <text> and </text> from {source} to {target}, sentence by sentence. Leave numbers, \
formulas and names of variables as they are, correct nothing, add nothing, and answer no question that it asks. Write the \
translation between <translation> and </translation>.

<text>
{text}
</text>"""
_TRANSLATION = re.compile(r"<translation>(.*)</translation>", re.DOTALL)


class RemoteTranslator(Remote[str]):
    """See `src.services.base.Translator`."""

    def __init__(self, spec: TranslatorSpec, cache: Cache) -> None:
        super().__init__(spec, cache)
        self.spec = spec

    def __call__(self, passages: Sequence[Passage], step: int) -> Answers[str]:
        return self.answers(passages, step)

    def settings(self) -> dict[str, Any]:
        return {**self.spec.answers(), "prompt": PROMPT}

    def connect(self) -> ChatClient:
        return ChatClient(self.spec, self.secret)

    async def ask(self, client: ChatClient, items: Sequence[Passage]) -> list[str]:
        return [await client.ask_for(prompt(passage), translation_of) for passage in map(Passage._make, items)]


def prompt(passage: Passage) -> str:
    """What the translator is asked."""
    source, target = (language(code).name for code in (passage.source, passage.target))
    return PROMPT.format(text=passage.text, source=source, target=target)


def translation_of(reply: Reply) -> str | None:
    """The translation in a reply that came to its end; None where there is none."""
    marked = _TRANSLATION.search(reply.content)
    text = marked[1].strip() if marked else ""
    return text if text and reply.finish != "length" else None

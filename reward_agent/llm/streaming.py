"""Replies heard while they are written."""

from __future__ import annotations

from collections.abc import Sequence

from reward_agent.llm.base import LLM, Heard, Streaming
from reward_agent.llm.redaction import Veil
from reward_agent.messages import Key, Message, Reply


def stream_reply(llm: LLM, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
    """One reply, heard as it comes; in one piece at its end from a model that cannot stream.

    Raises:
        LLMError, WaitingForPersonError, BudgetError: as `llm.complete` does.
    """
    if isinstance(llm, Streaming):
        return llm.stream(messages, key, heard)
    reply = llm.complete(messages, key)
    if reply.text:
        heard.piece(reply.text)
    return reply


class Pieces:
    """What is heard of one reply: no key is, however the server cuts it, and in the end all of its text is."""

    def __init__(self, heard: Heard) -> None:
        self._heard, self._veil, self._shown = heard, Veil(), ""

    def add(self, text: str) -> None:
        """The next piece as the server sent it."""
        self._show(self._veil.show(text))

    def void(self) -> None:
        """The stream came to nothing; another one begins."""
        if self._shown:
            self._heard.again()
        self._veil, self._shown = Veil(), ""

    def end(self, text: str) -> None:
        """The reply's text is `text`: what of it was not heard yet is heard now."""
        self._show(self._veil.rest())
        if not text.startswith(self._shown):
            self.void()
        self._show(text[len(self._shown) :])

    def _show(self, text: str) -> None:
        if text:
            self._shown += text
            self._heard.piece(text)

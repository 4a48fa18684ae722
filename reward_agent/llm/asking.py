"""One request to a server in no provider's terms: how it is made, what it gives, how it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from reward_agent.llm.streaming import Pieces
from reward_agent.messages import Message


class Answer(NamedTuple):
    """What a server said, in no provider's terms."""

    text: str
    model: str
    """The name it answers to, as `gpt-4o-2024-08-06` for `gpt-4o`."""
    input_tokens: int
    output_tokens: int
    """Thinking included."""
    stop: str
    """Why it stopped, in the provider's word."""


class RequestError(Exception):
    """A request came to nothing; how, in no provider's terms. `Chat` turns it into an `LLMError`."""

    def __init__(
        self, kind: Literal["status", "timeout", "connection", "nonsense"], said: object = "", status: int | None = None
    ) -> None:
        super().__init__(kind)
        self.kind, self.said, self.status = kind, said, status


class Send(Protocol):
    """One request, retried where that is worth it.

    Raises:
        RequestError: it came to nothing.
    """

    def __call__(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer: ...


class SendStream(Protocol):
    """The same, with the answer's text to `pieces.add` as it comes, and `pieces.void` before it is retried."""

    def __call__(self, messages: Sequence[Message], settings: Mapping[str, Any], pieces: Pieces) -> Answer: ...


def dump(said: Any) -> object:
    """An SDK's object as mappings and lists; anything else as it is."""
    return said.model_dump(exclude_none=True, warnings=False) if hasattr(said, "model_dump") else said

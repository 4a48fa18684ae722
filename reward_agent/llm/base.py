"""What a provider is given, what it must give, and how it fails."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.messages import Key, Message, Reply, Usage


class LLMError(RewardAgentError):
    """No reply could be had. The message names provider and model, what happened and what to do; never a key."""

    def __init__(self, message: str, *, status: int | None = None, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status of the server's answer, where it gave one."""
        self.usage = usage
        """What the server counted, where it answered and yet gave no reply: paid for all the same."""


@dataclass(frozen=True)
class Options:
    """What the command line can set for any provider."""

    temperature: float | None = None
    """None leaves it to the model."""
    base_url: str | None = None
    timeout: float = 300.0
    """Seconds without a byte from the server after which a request is given up. Models that think before they answer
    are silent for minutes."""
    retries: int = 5
    """Requests made again after a first one that failed in a way that may pass."""
    max_tokens: int = 16384
    """Most tokens of one reply, thinking included."""
    folder: Path | None = None
    """The run's folder, for providers that leave files (`manual`)."""
    prices: tuple[float, float] | None = None
    """US$ per million input and output tokens; they go before the price list, which may not know the model."""
    wait: float | None = None
    """Seconds to wait for a person (`manual`); None is for ever at a terminal and not at all without one."""

    def __post_init__(self) -> None:
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise UsageError(
                f"The base URL {self.base_url!r} must begin with http:// or https://, as http://localhost:11434/v1."
            )
        if self.temperature is not None and not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise UsageError(f"The temperature must be 0 or more, not {self.temperature}.")
        if self.timeout <= 0 or self.retries < 0 or self.max_tokens < 1:
            raise UsageError(
                f"A request needs a timeout above 0 s (not {self.timeout}), 0 or more retries (not {self.retries}) "
                f"and 1 or more tokens to answer with (not {self.max_tokens})."
            )


class LLM(Protocol):
    """A language model by name.

    One that can tell before it is asked whether its replies will have a cost says so in an attribute `priced`; one
    whose replies a person gives, in an attribute `by_person`.
    """

    @property
    def name(self) -> str:
        """As given on the command line, `provider:model`."""
        ...

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """One reply. Safe to call from several threads.

        Raises:
            LLMError: no reply could be had, after retries where those are worth it.
            WaitingForPersonError: the reply is a person's to give (`manual`).
            BudgetError: the budget is used up (`Metered`).
        """
        ...


class Heard(Protocol):
    """Whoever listens to a reply while it is written. Called from the thread that asked."""

    def piece(self, text: str) -> None:
        """The next piece of the text, never empty."""
        ...

    def again(self) -> None:
        """The reply begins anew (its connection broke, say): every piece so far is void."""
        ...

    def waits(self, text: str) -> None:
        """Nothing comes until a person has done what this paragraph says."""
        ...


@runtime_checkable
class Streaming(LLM, Protocol):
    """A model that can be heard while it writes; `streaming.stream_reply` does for those that cannot."""

    def stream(self, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
        """The reply that `complete` would give, with the same errors and retries.

        The pieces since the last `again` together are the reply's text. Without a reply, all that was heard is void.
        Whatever `heard` raises, or Ctrl-C, ends the request and leaves the model as it was.
        """
        ...

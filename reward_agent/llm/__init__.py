"""Providers of language models, one file each. `connect("openai:gpt-5")` gives one by name.

A provider is a module with `connect(model: str, options: Options) -> LLM`; its file's name is its prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reward_agent.messages import Key, Message, Reply


@dataclass(frozen=True)
class Options:
    """What the command line can set for any provider."""

    temperature: float | None = None
    base_url: str | None = None
    timeout: float = 120.0
    """Seconds a request may take."""
    retries: int = 5
    max_tokens: int = 8192
    folder: Path | None = None
    """The run's folder, for providers that leave files (`manual`)."""
    prices: tuple[float, float] | None = None
    """US$ per million input and output tokens, where the provider's own list does not know the model."""


class LLM(Protocol):
    name: str
    """As given on the command line, `provider:model`."""

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """One reply. Safe to call from several threads.

        Raises:
            LLMError: no reply could be had, after retries where those are worth it.
            WaitingForPersonError: the reply is a person's to give (`manual`).
        """
        ...

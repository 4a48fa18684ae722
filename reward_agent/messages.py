"""What goes to a language model and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True)
class Message:
    role: Literal["system", "user", "assistant"]
    text: str


MAIN = "reply"
"""The stage whose reply holds the program."""


class Key(NamedTuple):
    """Which reply this is. Replay goes by it, never by the prompt's text."""

    iteration: int
    candidate: int
    attempt: int
    stage: str = MAIN

    @property
    def folder(self) -> str:
        return f"iter_{self.iteration:02d}/cand_{self.candidate:02d}/attempt_{self.attempt:02d}"

    def path(self, name: str) -> str:
        """Of a file of this reply, relative to the run's folder; `name` as `reply.md`."""
        return f"{self.folder}/{name if self.stage == MAIN else f'{self.stage}.{name}'}"


@dataclass(frozen=True)
class Usage:
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """None where no price is known."""


@dataclass(frozen=True)
class Reply:
    """A model's answer, with all that is kept about it."""

    text: str
    model: str
    usage: Usage = Usage()
    date: str = ""
    """UTC, ISO 8601."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    prompt_sha256: str = ""
    replayed: bool = False
    """Said again from a recording; its usage is that of then, and nothing was paid now."""

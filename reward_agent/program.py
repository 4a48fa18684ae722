"""A reward program: its source, its identity, and what can be wrong with it. `extract` finds it in a model's reply."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from reward_agent.schema import Array

Stage = Literal["extract", "check", "probe", "optimise"]


@dataclass(frozen=True)
class Fault:
    """A defect of generated code or of a reply: a value that goes back to the model, never an exception."""

    stage: Stage
    """The earliest stage that can know."""
    message: str
    """One paragraph the model can act on; text that came out of the program is bounded and cleaned."""
    line: int | None = None
    """1-based line of the program's source, where there is one."""


@dataclass(frozen=True)
class Program:
    """Source text with one declared entry point."""

    source: str
    entry: str = "compute_reward"
    id: str = field(init=False)
    """SHA-256 of the source, in hex."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", hashlib.sha256(self.source.encode()).hexdigest())


class Rewards(NamedTuple):
    """Rewards of N transitions."""

    total: Array
    """`(N,)`."""
    terms: Array
    """`(N, K)`, one column a term."""

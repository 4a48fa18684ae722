"""Credit from language: who reads transitions as a person would, and says which subgoals they reached.

`Glimpse` is what is read of a transition; a `Reader` answers for a batch of them. `screens` is the reader that asks a
model (`view` is what it is shown, `replies` how it is understood, `cache` what is kept); `trajectories` are recordings
with labels, `scores` how rightly they were judged, `programs` what programs say of them, `verifying` where that differs
from the labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reward_agent.program import Fault
from reward_agent.task import Screen


@dataclass(frozen=True)
class Glimpse:
    """One transition, as a person at the screen sees it."""

    before: Screen
    action: str
    """By name, as `pickup`."""
    after: Screen


Reached = Mapping[str, bool]
"""Whether each subgoal was reached in a transition, by name; all of them."""


class Reader(Protocol):
    """Says which subgoals transitions reached."""

    names: tuple[str, ...]
    """Of the subgoals, in order."""

    def read(self, glimpses: Sequence[Glimpse]) -> list[Reached | Fault]:
        """An answer each, in order. What cannot be understood of a reply is a fault, never "no".

        Raises:
            LLMError: no reply could be had.
        """
        ...

"""Reward sources: what gives rewards for packed transitions. Every optimiser serves every source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import RewardAgentError
from reward_agent.program import Fault, Rewards
from reward_agent.schema import Array
from reward_agent.task import Bools, Screen


class SourceFaultError(RewardAgentError):
    """A reward program failed for good while rewards were wanted; the loop turns it back into its `Fault`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class RewardSource(Protocol):
    """Sees packed transitions and the reset mask, gives rewards."""

    term_names: tuple[str, ...]
    fields: tuple[str, ...]
    """Paths of the task's schema it reads; `(N, D)` arrays are packed by exactly these, in schema order."""

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        """Rewards of T successive steps of N rows: `(T, N, D)`, `(T, N, A)`, `(T, N, D)` give a total `(T, N)` and
        terms `(T, N, K)`. `was_reset` `(T, N)` marks where `state` begins an episode.

        Raises:
            SourceFaultError: the program behind it failed for good.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class CountingSource(RewardSource, Protocol):
    """A source that counts its rewards and judges by the counts: a training keeps them in its checkpoint."""

    @property
    def rewards(self) -> int:
        """That were asked for."""
        ...

    @property
    def bad_rewards(self) -> int:
        """Of those, how many were no finite number and counted as 0."""
        ...

    def restore(self, rewards: int, bad_rewards: int) -> None:
        """Count on from here: from 0 where a training begins."""
        ...


@runtime_checkable
class RememberingSource(RewardSource, Protocol):
    """A source whose rewards hang on what came before: a training keeps its memory in its checkpoint."""

    def memory(self) -> dict[str, NDArray[Any]]:
        """All that its next rewards hang on."""
        ...

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there."""
        ...


@runtime_checkable
class EpisodicSource(RememberingSource, Protocol):
    """A source whose rewards hang on what came before in a row's episode: it is asked for successive steps of the same
    rows."""

    def of_episodes(
        self, state: Array, action: Array, next_state: Array, was_reset: Bools, terminated: Bools
    ) -> Rewards:
        """As a call of any source; `terminated` `(T, N)` marks the steps that ended an episode, but for the horizon."""
        ...


@runtime_checkable
class TallyingSource(RewardSource, Protocol):
    """A source that knows what episodes reach, and counts it."""

    @property
    def reached_names(self) -> tuple[str, ...]:
        """What an episode may reach, K of them."""
        ...

    def tally(self) -> NDArray[np.int64]:
        """`(1 + K,)`: episodes that ended since it was last asked, and how many of them had reached each."""
        ...


class Sighting(NamedTuple):
    """What a person at the screen sees of one step of one row."""

    step: int
    """Of the T that rewards are asked for next."""
    row: int
    before: Screen
    after: Screen


@runtime_checkable
class WatchingSource(RewardSource, Protocol):
    """A source that is shown screens of a few rows, in a world that has them."""

    @property
    def watched(self) -> int:
        """Rows it wants to see of each step; 0 once it wants none."""
        ...

    def watch(self, seen: Sequence[Sighting]) -> None:
        """Some of the steps that it is asked for next."""
        ...

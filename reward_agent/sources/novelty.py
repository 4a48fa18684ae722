"""Novelty beside the task's own sparse goal: something for each state, the more the seldomer it was reached.

What one would try before a model is asked what matters: counts of states (Strehl & Littman, 2008; Bellemare et al.,
2016) here, random-network distillation in `random_network`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.episodes import START, task_schema
from reward_agent.program import Rewards
from reward_agent.schema import Array, StateSchema
from reward_agent.sources.sparse import goal_of
from reward_agent.subgoals import GOAL
from reward_agent.task import Bools, Ints, Task

NOVELTY = "novelty"
"""The term of the bonus."""
MOST_STATES = 1 << 20
"""States that are counted each on its own."""
_EPISODE = "episode."


class Measure(Protocol):
    """Says how new states are, and knows them from then on."""

    def __call__(self, states: Array) -> Array:
        """Of successive states `(M, D)`, `(M,)`: about 1 where one is new, towards 0 the better it is known."""
        ...

    def memory(self) -> dict[str, NDArray[Any]]:
        """All that it knows."""
        ...

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there."""
        ...


class NoveltySource:
    """The goal, and how new each next state is (`sources.EpisodicSource`). It serves one training.

    Args:
        task: whose goal is paid beside.
        measure: says how new a state is, seen through `schema`.
        fields: those by which states are told apart; `novelty_schema(task, fields)` packs them for `measure`.
        scale: of the bonus. Unless given, an episode of nothing but new states is worth the goal.

    Raises:
        UsageError: the task names no goal, or a field is none that a reward may read.
    """

    def __init__(
        self, task: Task, measure: Measure, fields: Iterable[str] | None = None, scale: float | None = None
    ) -> None:
        told_apart, goal = novelty_schema(task, fields), goal_of(task)
        packed = task_schema(task).select({*told_apart.by_path, goal})
        self.fields: tuple[str, ...] = tuple(packed.by_path)
        self.term_names: tuple[str, ...] = (GOAL, NOVELTY)
        self.scale = 1 / task.horizon if scale is None else scale
        self._measure = measure
        self._columns, self._goal = packed.indices(told_apart.by_path), packed.columns[goal].start

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        """See `sources.RewardSource`."""
        states = next_state[..., self._columns].reshape(-1, len(self._columns))
        bonus = self.scale * self._measure(states).reshape(was_reset.shape)
        terms = np.stack([next_state[..., self._goal], bonus], axis=-1)
        return Rewards(terms.sum(-1), terms)

    def of_episodes(
        self, state: Array, action: Array, next_state: Array, was_reset: Bools, terminated: Bools
    ) -> Rewards:
        """See `sources.EpisodicSource`: what is known outlasts episodes."""
        return self(state, action, next_state, was_reset)

    def memory(self) -> dict[str, NDArray[Any]]:
        """See `Measure`."""
        return self._measure.memory()

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """See `Measure`."""
        self._measure.remember(memory)

    def close(self) -> None:
        """There is nothing to end."""


def novelty_schema(task: Task, fields: Iterable[str] | None = None) -> StateSchema:
    """What states are told apart by: these fields; unless given, all of the world's that a reward may read.

    Neither the time nor how the episode began is among those: no state would come twice.

    Raises:
        UsageError: a field is none that a reward may read.
    """
    visible = task_schema(task).visible()
    if fields is None:
        fields = [path for path in visible.by_path if not path.startswith((START, _EPISODE))]
    return visible.select(fields)


class Counts:
    """One over the root of how often a state was reached, this time included (`Measure`).

    Counts are exact, as far as hashes of 64 bits tell states apart, up to `most` states; all that are met later share
    one count.
    """

    def __init__(self, most: int = MOST_STATES) -> None:
        self.most = most
        self._known: NDArray[np.uint64] = np.zeros(0, np.uint64)
        """Hashes in rising order."""
        self._counts: Ints = np.zeros(0, np.int64)
        self._beyond = 0

    def __call__(self, states: Array) -> Array:
        """See `Measure`."""
        return np.asarray(1 / np.sqrt(self.visits(states)), np.float64)

    def visits(self, states: Array) -> Ints:
        """How often each of these successive states was reached, this time included: `(M, D)` to `(M,)`."""
        met, first, which, times = np.unique(hashes(states), return_index=True, return_inverse=True, return_counts=True)
        at = np.searchsorted(self._known, met)
        known = at < len(self._known)
        known[known] = self._known[at[known]] == met[known]
        new = np.flatnonzero(~known)
        new = new[np.argsort(first[new])]
        room = self.most - len(self._known)
        entering, beyond = np.sort(new[:room]), new[room:]
        before = np.zeros(len(met) + 1, np.int64)
        before[:-1][known] = self._counts[at[known]]
        before[-1] = self._beyond
        counter = np.arange(len(met))
        counter[beyond] = len(met)
        of = counter[which.reshape(-1)]
        visits: Ints = before[of] + _turns(of)
        self._counts[at[known]] += times[known]
        self._beyond += int(times[beyond].sum())
        self._known = np.insert(self._known, at[entering], met[entering])
        self._counts = np.insert(self._counts, at[entering], times[entering])
        return visits

    def memory(self) -> dict[str, NDArray[Any]]:
        """Hashes, and how often each was met."""
        return {"known": self._known.copy(), "counts": self._counts.copy(), "beyond": np.array(self._beyond)}

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there."""
        self._known, self._counts = memory["known"].copy(), memory["counts"].copy()
        self._beyond = int(memory["beyond"])


def hashes(states: Array) -> NDArray[np.uint64]:
    """64 bits of each row of `(M, D)`, `(M,)`: the same everywhere, and another for other numbers but by chance."""
    # 0.0 is added so that -0.0 and 0.0 are one
    bits = (np.asarray(states, np.float64) + 0.0).view(np.uint64)
    found = np.zeros(len(bits), np.uint64)
    for column in bits.T:
        found = _mixed(found + column + _GOLDEN)
    return found


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele et al., 2014): every bit of a number goes into all of its result's."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _turns(values: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each value how many equal ones have come so far, itself included."""
    order = np.argsort(values, kind="stable")
    begins = np.flatnonzero(np.diff(values[order], prepend=-1))
    lengths = np.diff(np.append(begins, len(values)))
    turns = np.empty(len(values), np.intp)
    turns[order] = np.arange(len(values)) - np.repeat(begins, lengths) + 1
    return turns

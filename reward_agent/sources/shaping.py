"""What is paid for subgoals: the task's own sparse goal, and something for each subgoal that an episode reaches first.

After CALM (Pignatelli et al., 2024): a subgoal that is reached ends an option and pays an auxiliary reward, once an
episode. Whether it was reached before is kept here, on the trusted side: who says that one is reached has no memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.checked import Checked, NotNegative, Range, Share, changed
from reward_agent.envs.episodes import task_schema
from reward_agent.errors import UsageError
from reward_agent.program import Rewards
from reward_agent.schema import Array
from reward_agent.sources import CountingSource, RememberingSource, Sighting, WatchingSource
from reward_agent.subgoals import GOAL
from reward_agent.task import Bools, Task

SUBGOALS = "subgoals."
"""Begins the names of what the source of subgoals remembers."""


@dataclass(frozen=True)
class Shaping(Checked):
    """How subgoals pay.

    Raises:
        UsageError: a value is out of its range.
    """

    weight: NotNegative = 0.1
    """Of a subgoal, when an episode reaches it for the first time."""
    decay: Annotated[float, Range(0, 1, above=True)] = 1.0
    """What each step of the episode multiplies that by: sooner is better."""
    ordered: bool = False
    """A subgoal counts only once all that are named before it were reached, or with them."""
    potential: bool = False
    """Pay the difference of a potential, the weight of what was reached so far (Ng et al., 1999): whatever policy is
    best without subgoals is best with them."""
    discount: Share = 0.99
    """Of the potential; the optimiser's own, for that to hold."""
    goal: NotNegative = 1.0
    """Of a step after which the task's goal is reached."""


def shaping_of(changes: Mapping[str, Any] | None) -> Shaping:
    """With what a caller wants otherwise.

    Raises:
        UsageError: there is no such setting, or a value of another type or out of its range.
    """
    wanted = changed(Shaping(), changes)
    if wanted.potential and wanted.decay != 1:
        raise UsageError("A potential does not decay: what it pays adds up by its discount. Leave `decay` out.")
    if "discount" in (changes or {}) and not wanted.potential:
        raise UsageError("The setting 'discount' is a potential's: say `potential=true` as well, or leave it out.")
    return wanted


class ShapedSource:
    """Rewards for subgoals (`sources.EpisodicSource`).

    Args:
        subgoals: says what transitions reached, a term a subgoal, 0 or 1, whatever the episode reached before; it is
            closed with this.
        task: whose sparse goal is paid beside, where it names one (`Task.goal`).
        shaping: how.
    """

    def __init__(self, subgoals: CountingSource, task: Task, shaping: Shaping) -> None:
        schema = task_schema(task)
        read = {*subgoals.fields, *([task.goal] if task.goal else [])}
        self.fields: tuple[str, ...] = tuple(path for path in schema.by_path if path in read)
        self.term_names: tuple[str, ...] = (*([GOAL] if task.goal else []), *subgoals.term_names)
        self.shaping = shaping
        self._subgoals = subgoals
        packed = schema.select(self.fields)
        self._columns = packed.indices(subgoals.fields)
        self._goal = packed.columns[task.goal].start if task.goal else None
        self._reached: Bools = np.zeros((0, len(subgoals.term_names)), bool)
        self._age: NDArray[np.int64] = np.zeros(0, np.int64)
        self._tally: NDArray[np.int64] = np.zeros(1 + len(subgoals.term_names), np.int64)

    @property
    def reached_names(self) -> tuple[str, ...]:
        """See `sources.TallyingSource`."""
        return self._subgoals.term_names

    def tally(self) -> NDArray[np.int64]:
        """See `sources.TallyingSource`. An episode counts once the next of its row has begun."""
        found, self._tally = self._tally, np.zeros_like(self._tally)
        return found

    @property
    def rewards(self) -> int:
        """That were asked for."""
        return self._subgoals.rewards

    @property
    def bad_rewards(self) -> int:
        return self._subgoals.bad_rewards

    def restore(self, rewards: int, bad_rewards: int) -> None:
        """See `sources.CountingSource`."""
        self._subgoals.restore(rewards, bad_rewards)

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        """See `sources.RewardSource`; no episode is taken to have terminated."""
        return self.of_episodes(state, action, next_state, was_reset, np.zeros_like(was_reset))

    def of_episodes(
        self, state: Array, action: Array, next_state: Array, was_reset: Bools, terminated: Bools
    ) -> Rewards:
        """See `sources.EpisodicSource`.

        Raises:
            SourceFaultError: who says what is reached failed for good.
        """
        own = self._columns
        said = self._subgoals(state[..., own], action, next_state[..., own], was_reset).terms > 0.5
        if len(self._age) != was_reset.shape[1]:
            self._reached, self._age = np.zeros(said.shape[1:], bool), np.zeros(was_reset.shape[1], np.int64)
        paid = np.stack([self._step(*each) for each in zip(said, was_reset, terminated, strict=True)])
        if self._goal is not None:
            paid = np.concatenate([self.shaping.goal * next_state[..., self._goal, None], paid], axis=-1)
        return Rewards(paid.sum(-1), paid)

    @property
    def watched(self) -> int:
        """See `sources.WatchingSource`."""
        return self._subgoals.watched if isinstance(self._subgoals, WatchingSource) else 0

    def watch(self, seen: Sequence[Sighting]) -> None:
        """See `sources.WatchingSource`."""
        if isinstance(self._subgoals, WatchingSource):
            self._subgoals.watch(seen)

    def memory(self) -> dict[str, NDArray[Any]]:
        """What was reached in the running episodes, and how old they are; what the source of subgoals remembers."""
        own = {"reached": self._reached.copy(), "age": self._age.copy(), "tally": self._tally.copy()}
        if isinstance(self._subgoals, RememberingSource):
            own |= {f"{SUBGOALS}{name}": value for name, value in self._subgoals.memory().items()}
        return own

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there."""
        self._reached, self._age = memory["reached"].astype(bool), memory["age"].astype(np.int64)
        self._tally = memory.get("tally", np.zeros_like(self._tally)).astype(np.int64)
        if isinstance(self._subgoals, RememberingSource):
            told = {k.removeprefix(SUBGOALS): v for k, v in memory.items() if k.startswith(SUBGOALS)}
            self._subgoals.remember(told)

    def close(self) -> None:
        self._subgoals.close()

    def _step(self, said: Bools, was_reset: Bools, terminated: Bools) -> Array:
        """What one step pays in each row, `(N, K)`."""
        ended = was_reset & (self._age > 0)
        self._tally += np.array([ended.sum(), *self._reached[ended].sum(0)], np.int64)
        before = self._reached & ~was_reset[:, None]
        after = before | said
        if self.shaping.ordered:
            after = before | np.logical_and.accumulate(after, axis=1)
        self._age = np.where(was_reset, 0, self._age) + 1
        self._reached = after
        if self.shaping.potential:
            kept = after & ~terminated[:, None]  # nothing is left to come where an episode has ended
            return np.asarray(self.shaping.weight * (self.shaping.discount * kept - before), np.float64)
        worth = self.shaping.weight * self.shaping.decay ** (self._age - 1)
        return np.asarray(worth[:, None] * (after & ~before), np.float64)

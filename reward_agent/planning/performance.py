"""One episode under the planner, as it goes: its rewards, how it ends, and how fast it is against real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.episodes import Episodes
from reward_agent.planning.planner import Planner, PlannerSettings
from reward_agent.program import Rewards
from reward_agent.schema import Array
from reward_agent.sources import RewardSource
from reward_agent.task import Episode, Task

Watch = Callable[[Episodes], None]
"""Called after every step with the one episode, row 0."""


class Performance(NamedTuple):
    """What an episode, or a stretch of one, showed."""

    total: Array
    """Reward of each step, `(T,)`."""
    terms: Array
    """`(T, K)`, one column a term of the source."""
    states: Array
    """Packed by `Performing.episodes.schema`, the one before the first step first, `(T + 1, D)`."""
    actions: Array
    """`(T, A)`, as applied."""
    seconds: float
    """Of simulated time."""
    real_seconds: float
    """That it took, watching left out."""

    @property
    def real_time_factor(self) -> float:
        """Simulated seconds a second: from 1 on it keeps up with a real robot."""
        return self.seconds / max(self.real_seconds, 1e-9)


class Performing:
    """A task's episode that is played by planning, a stretch at a time. Use it as a context.

    Args:
        task: whose episode.
        source: planned on; it stays the caller's.
        settings: how to plan.
        seed: of the planner.
        fields: paths to pack beside those that the source reads.

    Raises:
        UsageError: the task cannot be planned on.
    """

    def __init__(
        self, task: Task, source: RewardSource, settings: PlannerSettings, seed: int, *, fields: Iterable[str] = ()
    ) -> None:
        self.task, self._source = task, source
        self.planner = Planner(task, source, settings, seed)
        self.episodes = Episodes(task, 1, {*source.fields, *fields})
        self._columns = self.episodes.schema.indices(source.fields)
        self.ended, self.terminated = True, False

    def begin(self, seed: int, start: Mapping[str, NDArray[Any]] | None = None) -> None:
        """A new episode, from `seed` alone, or from where an episode of all fields was when it was saved."""
        if start is None:
            self.episodes.reset(np.ones(1, bool), np.array([seed]))
        else:
            self.episodes.begin_from(start, np.array([seed]))
        self.ended = self.terminated = False

    @property
    def over(self) -> bool:
        """It ended, and not by its horizon alone: nothing can go on from there."""
        return self.terminated or (self.ended and int(self.episodes.elapsed[0]) < self.task.horizon)

    def go_on(self, steps: int, *, watch: Watch | None = None, stop: Callable[[], bool] | None = None) -> Performance:
        """Play at most so many more steps of it; fewer where it ends or `stop` says so after a step.

        Raises:
            SourceFaultError: the program behind the source failed for good.
        """
        states, spent = [self.episodes.states[0].copy()], 0.0
        actions: list[Array] = []
        while len(actions) < steps and not self.ended:
            began = time.perf_counter()
            action = self.planner.act(self.episodes)
            step = self.episodes.step(action)
            spent += time.perf_counter() - began
            states.append(step.states[0].copy())
            actions.append(action[0])
            self.terminated = bool(step.terminated[0])
            self.ended = self.terminated or bool(step.truncated[0])
            if watch:
                watch(self.episodes)
            if stop and stop():
                break
        packed, applied = np.array(states), np.array(actions).reshape(len(actions), -1)
        rewards = self._rewards(packed, applied)
        return Performance(*rewards, packed, applied, len(actions) * self.task.world.dt, spent)

    def episode(self, played: Performance) -> Episode:
        """What was played, for a metric whose fields were among those to pack; from a reset on, it is an episode."""
        schema = self.episodes.schema
        state, constants = schema.view(played.states), schema.constants_view()
        return Episode(state, played.actions, self.terminated, constants, self.task.world.dt)

    def _rewards(self, states: Array, actions: Array) -> Rewards:
        if not len(actions):
            return Rewards(np.zeros(0), np.zeros((0, len(self._source.term_names))))
        own = states[:, None, self._columns]
        given = self._source(own[:-1], actions[:, None], own[1:], np.zeros((len(actions), 1), bool))
        return Rewards(given.total[:, 0], given.terms[:, 0])

    def close(self) -> None:
        """The source is left open."""
        self.planner.close()
        self.episodes.close()

    def __enter__(self) -> Performing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

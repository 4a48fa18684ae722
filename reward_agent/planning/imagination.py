"""Plays action sequences from where episodes are, in copies of them, and asks a reward source for all steps at once."""

from __future__ import annotations

import time

import numpy as np

from reward_agent.envs.episodes import Episodes
from reward_agent.errors import UsageError
from reward_agent.schema import Array
from reward_agent.sources import RewardSource
from reward_agent.task import Forking, Ints, Task


class Imagination:
    """Copies of R episodes, S of each, with the fields that a reward reads.

    Args:
        task: whose episodes.
        source: gives the rewards; it stays the caller's.
        rows: R.
        samples: S.
        threads: for the physics.

    Raises:
        UsageError: the world's episodes cannot be copied.
    """

    def __init__(self, task: Task, source: RewardSource, rows: int, samples: int, *, threads: int = 1) -> None:
        if (why := cannot_plan(task)) is not None:
            raise UsageError(why)
        self.source, self.rows, self.samples = source, rows, samples
        self._episodes = Episodes(task, rows * samples, source.fields, threads=threads)
        self._columns = self._episodes.schema.indices(source.fields)
        self.steps = 0
        """Environment steps imagined so far."""
        self.reward_seconds = 0.0
        """Spent in the reward source."""

    def returns(self, real: Episodes, actions: Array) -> Array:
        """Mean reward a step `(R, S)` of `actions` `(R, S, H, A)`, each played from where its row of `real` is.

        What would come after a termination counts as 0.

        Raises:
            SourceFaultError: the program behind the source failed for good.
        """
        horizon, count = actions.shape[2], self.rows * self.samples
        whose: Ints = np.repeat(np.arange(self.rows), self.samples)
        self._episodes.fork(real, whose)
        flat = actions.reshape(count, horizon, -1).swapaxes(0, 1)
        states = np.empty((horizon + 1, count, len(self._columns)))
        states[0] = self._episodes.states[:, self._columns]
        going = np.ones((horizon, count), bool)
        for step, action in enumerate(flat):
            after = self._episodes.step(action)
            states[step + 1] = after.states[:, self._columns]
            going[step + 1 :] &= ~after.terminated
        self.steps += horizon * count
        began = time.perf_counter()
        rewards = self.source(states[:-1], flat, states[1:], np.zeros((horizon, count), bool))
        self.reward_seconds += time.perf_counter() - began
        mean: Array = (rewards.total * going).mean(axis=0).reshape(self.rows, self.samples)
        return mean

    def close(self) -> None:
        """The source is left open."""
        self._episodes.close()


def cannot_plan(task: Task) -> str | None:
    """Why there is no planning on the task; None where there is."""
    if task.world.schema().action.discrete:
        return f"{task.id} has numbered actions; the planner needs continuous ones. Train on it: `--optimiser ppo`."
    if not isinstance(task.world, Forking):
        return (
            f"The world of {task.id} ({task.world.name}) cannot copy running episodes, which planning does at every "
            "step. Train on it instead: `--optimiser ppo`."
        )
    return None

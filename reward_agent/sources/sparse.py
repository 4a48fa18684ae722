"""The task's own sparse goal and nothing beside it: what every other reward of the same task is compared with."""

from __future__ import annotations

import numpy as np

from reward_agent.errors import UsageError
from reward_agent.program import Rewards
from reward_agent.schema import Array
from reward_agent.subgoals import GOAL
from reward_agent.task import Bools, Task


def goal_of(task: Task) -> str:
    """The path of the task's goal.

    Raises:
        UsageError: it names none.
    """
    if not task.goal:
        raise UsageError(
            f"{task.id} names no goal, so nothing sparse can be paid for it: give its card `goal`, the path of a "
            "hidden flag that is true where what is wanted is reached."
        )
    return task.goal


class GoalSource:
    """1 for each step after which the task's goal is reached (`sources.RewardSource`).

    Raises:
        UsageError: the task names no goal.
    """

    def __init__(self, task: Task) -> None:
        self.fields: tuple[str, ...] = (goal_of(task),)
        self.term_names: tuple[str, ...] = (GOAL,)

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        """See `sources.RewardSource`."""
        reached = np.array(next_state, np.float64)
        return Rewards(reached[..., 0], reached)

    def close(self) -> None:
        """There is nothing to end."""

"""The `robotics` world: gymnasium-robotics' Fetch arm, Shadow hand and Adroit hand, and the tasks set in them.

`world` is the adapter, `scenes` says which parts of each model are fields, `goals` whether what is asked for is there,
`metrics` judges; `cards/` has one card a task, `experts/` each environment's own dense reward in the contract.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.robotics.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")

"""The `maniskill` world: ManiSkill3's manipulation tasks, a simulation for each row on a CPU or all together on a GPU.

`world` is the adapter, `names` the words for what a scene holds, `schema` the fields a reward may read and `reading`
how they are read, as torch tensors on the device the simulation lives on; `row` steps one environment with physics of
its own, `scenes` many on a GPU; `cards/` has one card a task, `experts/` rewards by hand.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.maniskill.readiness import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")

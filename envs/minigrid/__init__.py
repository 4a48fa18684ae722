"""The `minigrid` world: MiniGrid's mazes of rooms, doors, keys and lava, seen through a view of seven by seven cells.

`world` is the adapter and `native` steps an environment as MiniGrid does; `level` is one instant of the grid, from
which all else is derived: `schema` what a reward may read, `view` what a policy observes, `text` what is on the screen;
`scripted` solves it. `cards/` has one card a task, `experts/` a dense reward by hand for each kind of task.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.minigrid.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")

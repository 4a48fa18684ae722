"""The `gymnasium` world: any `gymnasium.Env`, as `Task.from_gymnasium` makes a task of one.

`world` is the adapter, `making` makes environments, `survey` finds out about one by playing a few steps, `spaces` and
`state` say what policies and rewards see of it, `mujoco_state` reads any MuJoCo model, `row` is what steps.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.gymnasium.own_task import make_task
from reward_agent.envs.gymnasium.world import GymnasiumWorld
from reward_agent.task import Task

__all__ = ["GymnasiumWorld", "make_task", "missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")


def missing() -> str | None:
    """None: Gymnasium itself is always there; what one environment lacks is said when it is made."""
    return None

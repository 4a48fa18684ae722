"""The `quadruped` world: a robot of our own making that is told what to do by reward parameters.

`quadruped.xml` is the model, `robot` what is around it, `names` what its parts are called, `parameters` and
`primitives` what can be called to set a reward; `cards/` has one card a task, `experts/` a reward by hand for each.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.mujoco.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")

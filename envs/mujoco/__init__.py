"""The `mujoco` world: Gymnasium's eleven v5 MuJoCo environments as batches, and the tasks set in them.

`world` is the adapter, `native` what each environment does around the physics, `names` what its parts are called,
`schema` the fields a reward may read; `cards/` has one card a task, `experts/` a reward by hand for each with a metric.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.mujoco.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")

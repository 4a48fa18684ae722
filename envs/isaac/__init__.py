"""The `isaac` world: IsaacGymEnvs' tasks, in the Python 3.8 that Isaac Gym wants. Never run on Isaac Gym by our tests.

`server` is the worker, alone in that interpreter; `client` starts it and asks; `schema` derives the fields from what
the simulator names; `world` is the adapter; `benchmark` lists the nine tasks of Eureka and ICPL, `metrics` judges them.
"""

from __future__ import annotations

from reward_agent.envs.isaac.benchmark import TASKS
from reward_agent.envs.isaac.world import lacking
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return {task.id: task for task in sorted(TASKS, key=lambda task: task.id)}


def missing() -> str | None:
    """What this machine lacks for Isaac Gym and how it is mended; None when it can run."""
    return lacking()

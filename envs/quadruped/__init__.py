"""The `quadruped` world: a robot that is told what to do by reward parameters, of our own making or MuJoCo Menagerie's.

`quadruped.xml` is our model and `robot` what is around it; `menagerie` finds those of others, `anatomy` their legs,
and `adopted` makes the same of them. `names` is what parts are called, `stance` how a robot is held up, `words` what
prompts say of it, `parameters` and `primitives` what can be called to set a reward, `metrics` when something is done
(`sized` for other sizes); `cards/` has one card a task, `experts/` a reward by hand for each with a metric.
"""

from __future__ import annotations

from dataclasses import replace

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.mujoco.world import missing
from reward_agent.envs.quadruped.sized import sized
from reward_agent.envs.quadruped.world import QuadrupedWorld
from reward_agent.errors import unknown_name
from reward_agent.task import Task

__all__ = ["missing", "tasks", "variant"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")


def variant(task: Task, key: str, value: str) -> Task:
    """The task on another robot, as `robot=unitree_go2`, without its reward by hand: lengths in it are our robot's.

    Raises:
        UsageError: no such key or robot, with the closest valid name.
    """
    if key != "robot":
        raise unknown_name("variant of the quadruped's tasks", f"{key}=", ["robot="])
    return replace(task, world=QuadrupedWorld(robot=value), metrics=sized(task.metrics), expert=None)

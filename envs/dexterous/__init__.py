"""The `dexterous` world: the Adroit hand on an arm, before a box and an apple, a faucet or a drawer.

`hand` is the hand and its servos, `scenes` what it works on, `native` how episodes begin, `names` what parts are
called, `metrics` when something is done, `parameters` and
`primitives` what can be called to set a reward; `cards/` has one card a task, `experts/` a reward by hand for each.
"""

from __future__ import annotations

from reward_agent.envs import mujoco
from reward_agent.envs.cards import tasks_in
from reward_agent.envs.dexterous import hand
from reward_agent.task import Task


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")


def missing() -> str | None:
    """What this machine lacks and the command that installs it; None when the world can run."""
    return mujoco.missing() or hand.missing()

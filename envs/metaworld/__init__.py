"""The `metaworld` world: Meta-World's fifty v3 environments, and the tasks set in them.

`world` is the adapter, `native` steps an environment as Meta-World does, `names` what its parts are called, `schema`
the fields a reward may read; `cards/` has Text2Reward's eleven tasks, `suite` the other thirty-nine, `experts/`
Meta-World's own dense rewards as reward programs.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.metaworld.suite import others
from reward_agent.envs.metaworld.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    found = tasks_in(f"{__name__}.cards")
    return dict(sorted((found | others(found)).items()))

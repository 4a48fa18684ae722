"""The `mujoco` world: Gymnasium's eleven v5 MuJoCo environments as batches, and the tasks set in them.

`world` is the adapter, `native` what each environment does around the physics, `names` what its parts are called,
`schema` the fields a reward may read; `cards/` has one card a task, `experts/` a reward by hand for each.
"""

from __future__ import annotations

import importlib
import pkgutil

from reward_agent.envs.mujoco.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order: the `task` of each module in `cards/`."""
    folder = importlib.import_module(f"{__name__}.cards")
    names = [card.name for card in pkgutil.iter_modules(folder.__path__)]
    found = [importlib.import_module(f"{folder.__name__}.{name}") for name in names]
    return {card.task.id: card.task for card in sorted(found, key=lambda card: str(card.task.id))}

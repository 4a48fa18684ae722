"""The `mujoco` world: Gymnasium's eleven v5 MuJoCo environments as batches, and the tasks set in them.

`world` is the adapter, `native` what each environment does around the physics, `names` what its parts are called,
`schema` the fields a reward may read; `tasks/` has one card a task, `experts/` a reward by hand for each.
"""

from __future__ import annotations

import importlib
import pkgutil

from reward_agent.envs.mujoco.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]

# Importing the folder `tasks` binds that name here; done first, so that the function below is what the name means.
_CARDS = importlib.import_module(f"{__name__}.tasks")


def tasks() -> dict[str, Task]:
    """Every task card by id, in order: the `task` of each module in `tasks/`."""
    names = [card.name for card in pkgutil.iter_modules(_CARDS.__path__)]
    found = [importlib.import_module(f"{_CARDS.__name__}.{name}") for name in names]
    return {card.task.id: card.task for card in sorted(found, key=lambda card: str(card.task.id))}

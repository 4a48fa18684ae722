"""How a task is to be trained on: by which optimiser. Checked here before anything is made."""

from __future__ import annotations

import importlib
from types import ModuleType

from reward_agent.errors import UsageError
from reward_agent.optimise import find_optimiser
from reward_agent.task import Task


def require(optimiser: str, task: Task) -> None:
    """That the optimiser exists and can train on the task.

    Raises:
        UsageError: it does not, or its module's `refuses(task)` says why it cannot.
    """
    refuses = getattr(_module(optimiser), "refuses", None)
    if refuses is not None and (why := refuses(task)) is not None:
        raise UsageError(why)


def _module(optimiser: str) -> ModuleType:
    """Where the optimiser's function is defined, and what else it says of itself."""
    return importlib.import_module(find_optimiser(optimiser).__module__)

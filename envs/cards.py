"""Task cards: a module each in a world's folder `cards/`, with `task = Task(...)`."""

from __future__ import annotations

import importlib
import pkgutil

from reward_agent.task import Task


def tasks_in(package: str) -> dict[str, Task]:
    """The `task` of each module of the package, by id and in order. No simulator is imported for it."""
    folder = importlib.import_module(package)
    cards = [importlib.import_module(f"{package}.{card.name}") for card in pkgutil.iter_modules(folder.__path__)]
    found: list[Task] = sorted((card.task for card in cards), key=lambda task: str(task.id))
    return {task.id: task for task in found}

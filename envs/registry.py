"""Finds worlds by entry point and tasks by name, or in a user's own file."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from reward_agent.envs.task_files import task_in
from reward_agent.errors import UsageError, unknown_name
from reward_agent.task import Task

GROUP = "reward_agent.worlds"
DISGUISE = "@disguise="
"""Between a task's name and how it is disguised: a seed, or a file of words."""
_VARIANT = re.compile(r"(.+)@([a-z_]+)=([^@/]+)")
"""A task's name, and what its world is to make of it: `quadruped/spin@robot=unitree_go2`."""
FROM_PYTHON = "python:"
"""Begins the name that a run keeps of a task that only its caller has."""


def worlds() -> dict[str, ModuleType]:
    """World modules by name, in name order: this package's folders and those of other packages' entry points.

    Nothing of a simulator is imported. A shipped name cannot be taken.
    """
    package = importlib.import_module("reward_agent.envs")
    found = {point.name: point.value for point in entry_points(group=GROUP)}
    shipped = [entry.name for entry in pkgutil.iter_modules(package.__path__) if entry.ispkg]
    found |= {name: f"{package.__name__}.{name}" for name in shipped}
    return {name: importlib.import_module(found[name]) for name in sorted(found)}


def tasks() -> dict[str, Task]:
    """Every shipped task by id, in order."""
    return {task_id: task for world in worlds().values() for task_id, task in world.tasks().items()}


def find_task(name: str) -> Task:
    """A shipped task by its id (the part after the world's name will do), or `path/to/file.py:variable`.

    With `@disguise=SEED` or `@disguise=FILE` after it, that task in disguise (`envs/disguise.py`). With `@key=value`
    after a shipped task's, what its world makes of it: `variant(task, key, value) -> Task` of the world's module.

    Raises:
        UsageError: no such task, file, variable or variant, with the closest valid name; or the file fails, with the
            line.
    """
    if DISGUISE in name:
        from reward_agent.envs.disguise import disguise

        plain, _, how = name.partition(DISGUISE)
        return disguise(find_task(plain), int(how) if how.isdecimal() else Path(how))
    if ".py" in name:
        return task_in(name)
    if found := _VARIANT.fullmatch(name):
        return _variant(find_task(found[1]).id, found[2], found[3])
    known = tasks()
    of_that_name = [id_ for id_ in known if id_.partition("/")[2] == name]
    if len(of_that_name) == 1:
        return known[of_that_name[0]]
    if name not in known and name in worlds():
        raise UsageError(
            f"{name} is a world of {len(worlds()[name].tasks())} tasks, and no task: name one of those that "
            f"`reward-agent tasks {name}` lists, as {min(worlds()[name].tasks(), default=name + '/TASK')}."
        )
    if name not in known:
        like = known if "/" in name else {id_.partition("/")[2] for id_ in known}
        raise unknown_name("task", name, like, hint="`reward-agent tasks` describes them.")
    return known[name]


@cache
def _variant(task_id: str, key: str, value: str) -> Task:
    """One object of each, under a name that finds it."""
    world = task_id.partition("/")[0]
    make: Callable[[Task, str, str], Task] | None = getattr(worlds()[world], "variant", None)
    if make is None:
        raise UsageError(
            f"Tasks of the world {world} have no variants, so `@{key}={value}` can name none. Name the task alone: "
            f"{task_id}"
        )
    return replace(make(find_task(task_id), key, value), id=f"{task_id}@{key}={value}")


def find_again(name: str, instead: str) -> Task:
    """The task of a run by the name that the run keeps of it.

    Args:
        name: of the task.
        instead: what to do from Python where only the caller has the task.

    Raises:
        UsageError: only the caller has it, or as `find_task`.
    """
    if name.startswith(FROM_PYTHON):
        raise UsageError(
            f"This run was started from Python with a task of its own, {name.removeprefix(FROM_PYTHON)}, which has no "
            f"name to find it by. {instead}"
        )
    return find_task(name)


def recordings(task_id: str) -> dict[str, Path]:
    """A task's shipped sessions by name, in name order: `recordings/<task>/<name>.jsonl` beside its world."""
    world, _, name = task_id.partition("/")
    module = worlds().get(world)
    if module is None or module.__file__ is None:
        return {}
    folder = Path(module.__file__).parent / "recordings" / name
    return {path.stem: path for path in sorted(folder.glob("*.jsonl"), key=lambda path: path.stem)}

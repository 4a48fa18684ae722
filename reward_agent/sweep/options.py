"""Options of a sweep's file as the values that a run's config has: by name and type, whatever options a run has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.envs.registry import DISGUISE, find_task
from reward_agent.errors import UsageError
from reward_agent.left_open import OPEN
from reward_agent.plugins import NOBODY
from reward_agent.program import Fault, Program, read_program
from reward_agent.subgoals import CARD, Subgoal, given_subgoals
from reward_agent.sweep.spec import EXPERT, Entry
from reward_agent.sweep.yaml_lines import Node
from reward_agent.task import Task

DEFAULTS: Mapping[str, Any] = {"expert": False, "video": False, "tensorboard": False, "curve_points": 10, "jobs": 1}
"""Where a sweep's runs differ from a run alone: an expert's reward is a row of its own, and cores go to other runs."""


def make_config(entry: Entry, seed: int, file: Path) -> tuple[RunConfig, tuple[str, ...]]:
    """The config of one run, and those of `left_open.OPEN` that nobody chose.

    Paths in the file are relative to its folder. `{task}`, `{world}` and `{task_name}` in a text are the task's.

    Raises:
        UsageError: an option has no such value, or there is no such task, reward or file; with the line.
    """
    named = entry.options["task"]
    name = _task_from(file.parent, str(named.plain()))
    try:
        task = find_task(name)
    except UsageError as error:
        raise named.wrong(error) from error
    hints = get_type_hints(RunConfig)
    chosen = {
        option: _value(option, node, hints[option], file.parent, task)
        for option, node in entry.options.items()
        if option not in ("task", "reward")
    }
    if "reward" in entry.options:
        given = {"method": "given", "llm": NOBODY, "iterations": 0, "candidates": 1}
        chosen |= given | {"initial": _reward(entry.options["reward"], file.parent, task)}
    try:
        config = RunConfig(task=name, seed=seed, **{**DEFAULTS, **chosen})
    except UsageError as error:
        raise entry.node.wrong(f"{entry.label}: {error}") from error
    return config, tuple(option for option in OPEN if option not in chosen)


def _subgoals(node: Node, said: str, folder: Path, task: Task) -> tuple[Subgoal, ...]:
    """A file's, or those of the task's card."""
    try:
        return given_subgoals(said if said == CARD else str(folder / said), task.subgoals, task.id)
    except UsageError as error:
        raise node.wrong(error) from error


def _value(name: str, node: Node, hint: Any, folder: Path, task: Task) -> Any:
    kinds, data = {hint, *get_args(hint)}, _filled(node.plain(), task)
    if Program in kinds and isinstance(data, str):
        return _program(node, folder / data)
    if Path in kinds and isinstance(data, str):
        return folder / data
    if name == "llm" and isinstance(data, str):
        provider, _, model = data.partition(":")
        return f"{provider}:{_from(folder, model)}" if provider == "replay" and (folder / model).exists() else data
    if name == "subgoals" and isinstance(data, str):
        return _subgoals(node, data, folder, task)
    if name == "judge" and isinstance(data, str) and data.partition(":")[0].endswith(".py"):
        return _from(folder, data)
    try:
        if isinstance(data, bool) and bool not in kinds:
            raise TypeError
        whole = isinstance(data, float) and int in kinds and float not in kinds and data.is_integer()
        return decode(hint, int(data) if whole else data)
    except (TypeError, ValueError) as error:
        wanted = getattr(hint, "__name__", str(hint)) if not get_args(hint) else str(hint)
        raise node.wrong(f"`{name}` wants {wanted}, not {data!r:.60}.") from error


def _reward(node: Node, folder: Path, task: Task) -> Program:
    text = _filled(node.plain(), task)
    if not isinstance(text, str):
        raise node.wrong(f"`reward` wants `{EXPERT}` or a file, not {text!r:.60}.")
    if text != EXPERT:
        return _program(node, folder / text)
    if task.expert is None:
        raise node.wrong(f"{task.id} ships no expert reward. Give a file, or leave this task out of these entries.")
    return _program(node, task.expert)


def _program(node: Node, path: Path) -> Program:
    try:
        found = read_program(path)
    except UsageError as error:
        raise node.wrong(error) from error
    if isinstance(found, Fault):
        raise node.wrong(f"{path} holds no reward program. {found.message}")
    return found


def _filled(data: Any, task: Task) -> Any:
    if not isinstance(data, str):
        return data
    world, _, name = task.id.partition("/")
    for mark, text in {"{task}": task.id, "{world}": world, "{task_name}": name}.items():
        data = data.replace(mark, text)
    return data


def _task_from(folder: Path, name: str) -> str:
    plain, mark, how = name.partition(DISGUISE)
    plain = _from(folder, plain) if ".py" in plain else plain
    return plain + mark + (how if how.isdecimal() or not how else str((folder / how).resolve()))


def _from(folder: Path, location: str) -> str:
    path, separator, variable = location.partition(":")
    return f"{(folder / path).resolve()}{separator}{variable}"

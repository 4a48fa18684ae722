"""A sweep's file as frozen values: what is wanted on which task, by which name, with which options and seeds.

Two forms, which may stand side by side: axes (`tasks`, `methods`, `models`, `rewards`, `grid`), of which every
combination is wanted, and a list of `entries`, each on every task unless it names its own.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from reward_agent.config import RunConfig
from reward_agent.errors import unknown_name
from reward_agent.llm import Budget
from reward_agent.sweep.yaml_lines import Node, read_yaml

EXPERT = "expert"
"""The reward that is each task's own."""
FLOORS = ("no-op", "random")
"""Labels of the rows that every table has of its own: doing nothing, and acting at random."""
OPTIONS = frozenset(field.name for field in fields(RunConfig)) - {"task", "seed"}
"""What may be chosen of a run, by its name there."""
_AXES = {"tasks": "task", "methods": "method", "models": "llm", "rewards": "reward"}
_TOP = (*_AXES, "name", "seeds", "grid", "defaults", "entries", "max_usd", "max_tokens")
_SEARCH = ("method", "llm", "iterations", "candidates", "initial")
_MANY_SEEDS = 10_000


@dataclass(frozen=True)
class Entry:
    """What is wanted on one task, over some seeds: a search for a reward, or the evaluation of a given one."""

    label: str
    """Its name in every table."""
    options: Mapping[str, Node]
    """By name of `RunConfig`, and `task`; `reward` where one is given."""
    seeds: tuple[int, ...]
    node: Node
    """Where it stands in the file."""


@dataclass(frozen=True)
class Spec:
    """What a file asks for."""

    name: str
    """Of its folder."""
    file: Path
    entries: tuple[Entry, ...]
    budget: Budget
    """For models, over the whole sweep."""
    plain: Mapping[str, Any]
    """The file's content, to be kept."""


@dataclass(frozen=True)
class _Choice:
    """A value of an axis, with the options that come with it."""

    label: str
    """As the user named it; empty where not."""
    options: Mapping[str, Node]
    node: Node


def read_spec(path: Path) -> Spec:
    """What the file asks for.

    Raises:
        UsageError: the file cannot be read, a name in it is unknown (with the closest), or nothing is wanted.
        MissingComponentError: PyYAML is not installed.
    """
    root = read_yaml(path)
    top = _mapping(root, _TOP, "key of a sweep")
    defaults = _mapping(top["defaults"], OPTIONS, "option of a run") if "defaults" in top else {}
    axes = {axis: _choices(top.get(axis), axis) for axis in _AXES}
    wanted = [*_combined(axes, _grid(top.get("grid"), root)), *_listed(top.get("entries"))]
    if not wanted:
        raise root.wrong("nothing is wanted. Name `methods`, `models` or `rewards`, or a list of `entries`.")
    seeds = _seeds(top["seeds"]) if "seeds" in top else (0,)
    entries = []
    for choice in wanted:
        if choice.label in FLOORS:
            told = f"{choice.label!r} is what every table calls a row of its own. Give this one another `name:`."
            raise choice.node.wrong(told)
        own = {name: node for name, node in choice.options.items() if name not in ("tasks", "seeds")}
        its_tasks = _choices(choice.options["tasks"], "tasks") if "tasks" in choice.options else axes["tasks"]
        if "task" not in own and not its_tasks:
            raise choice.node.wrong(f"{choice.label!r} is wanted on no task. Name some under `tasks`.")
        its_seeds = _seeds(choice.options["seeds"]) if "seeds" in choice.options else seeds
        for options in [{}] if "task" in own else [task.options for task in its_tasks]:
            entries.append(Entry(choice.label, {**defaults, **options, **own}, its_seeds, choice.node))
    return Spec(_name(top.get("name"), path), path, tuple(entries), _budget(top), root.plain())


def _combined(axes: Mapping[str, Sequence[_Choice]], grid: Sequence[_Choice]) -> Iterator[_Choice]:
    """Every method with every model, and every given reward, each at every point of the grid."""
    methods, models = axes["methods"], axes["models"]
    together = [tuple(pair) for pair in itertools.product(methods, models)]
    searches = together or [(choice,) for choice in (*methods, *models)]
    rewards = [(reward,) for reward in axes["rewards"]]
    # a grid alone is of searches as the defaults have them
    for choices in [*searches, *rewards] or [()] * (len(grid) > 1):
        # one model for all need not be told, unless it was given a name
        told = [choice for choice in choices if choice.label or choice not in models or len(models) > 1 or not methods]
        for point in grid:
            options = {name: node for choice in (*choices, point) for name, node in choice.options.items()}
            labels = [*(choice.label or _label(choice.options) for choice in told), point.label]
            yield _Choice(", ".join(filter(None, labels)), options, (*choices, point)[0].node)


def _listed(entries: Node | None) -> Iterator[_Choice]:
    allowed = {*OPTIONS, "name", "task", "tasks", "seeds", "reward"}
    for node in entries.items() if entries else ():
        options = dict(_mapping(node, allowed, "option of an entry"))
        if "reward" in options:
            _refuse_search(options)
        if "task" in options and "tasks" in options:
            raise options["tasks"].wrong("`task` and `tasks` are both given; one will do.")
        label = _text(options.pop("name"), "name") if "name" in options else ""
        yield _Choice(label or _label(options) or "defaults", options, node)


def _refuse_search(options: Mapping[str, Node]) -> None:
    for name in _SEARCH:
        if name in options:
            told = f"an entry either trains on a given `reward` or searches for one; `{name}` is for a search."
            raise options[name].wrong(told)


def _label(options: Mapping[str, Node]) -> str:
    """What tells an entry from others where it has no name."""
    if "reward" in options:
        reward = str(options["reward"].plain())
        return "expert reward" if reward == EXPERT else Path(reward).stem
    return " ".join(str(options[name].plain()) for name in ("method", "llm") if name in options)


def _choices(axis: Node | None, name: str) -> list[_Choice]:
    """The values of an axis: each is its principal value alone, or that with options beside it."""
    if axis is None:
        return []
    principal, found = _AXES[name], []
    for node in axis.items():
        if isinstance(node.value, dict):
            allowed = {*OPTIONS, principal, *(["name"] if name != "tasks" else [])}
            options = dict(_mapping(node, allowed, f"option beside {principal!r}"))
            if principal not in options:
                raise node.wrong(f"a value of `{name}` names its `{principal}`.")
            label = _text(options.pop("name"), "name") if "name" in options else ""
        else:
            options, label = {principal: node}, ""
        _text(options[principal], principal)
        if name == "rewards":
            _refuse_search(options)
        found.append(_Choice(label, options, node))
    if not found:
        raise axis.wrong(f"`{name}` is an empty list, so nothing would be run. Name one, or leave `{name}` out.")
    return found


def _grid(grid: Node | None, root: Node) -> list[_Choice]:
    """Every combination of the values of some options; of no options, the one that changes nothing."""
    axes = _mapping(grid, OPTIONS, "option of a run") if grid else {}
    for name, node in axes.items():
        if not isinstance(node.value, list) or not node.value:
            raise node.wrong(f"the grid wants a list of values for `{name}`, as [1, 2].")
    points = []
    for values in itertools.product(*(node.value for node in axes.values())):
        options = dict(zip(axes, values, strict=True))
        label = ", ".join(f"{name} {node.plain()}" for name, node in options.items())
        points.append(_Choice(label, options, grid or root))
    return points


def _mapping(node: Node, known: Collection[str], kind: str) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise node.wrong(f"here should be names with values, as `{sorted(known)[0]}: ...`, not {node.plain()!r:.60}.")
    for name, value in node.value.items():
        if name not in known:
            raise value.wrong(unknown_name(kind, name, known))
    return node.value


def _text(node: Node, name: str) -> str:
    if not isinstance(node.value, str) or not node.value.strip():
        raise node.wrong(f"`{name}` wants a text, not {node.plain()!r:.60}.")
    return node.value


def _seeds(node: Node) -> tuple[int, ...]:
    """`[0, 3]` are these, `3` are the first three."""
    given = node.plain()
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given <= _MANY_SEEDS:
        return tuple(range(given))
    if isinstance(given, list) and given and all(type(seed) is int and seed >= 0 for seed in given):
        if len(set(given)) < len(given):
            raise node.wrong("a seed is given twice.")
        return tuple(given)
    raise node.wrong(f"`seeds` wants how many, as 3, or which, as [0, 1, 2], not {given!r:.60}.")


def _name(node: Node | None, path: Path) -> str:
    name = _text(node, "name") if node else path.stem
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        told = f"the name {name!r} is to be a folder's: letters, digits, `-`, `_` and `.`, the first no dot."
        raise (node or Node(name, path, 1)).wrong(told)
    return name


def _budget(top: Mapping[str, Node]) -> Budget:
    found: dict[str, Any] = {}
    for name in ("max_tokens", "max_usd"):
        value = top[name].plain() if name in top else None
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0):
            raise top[name].wrong(f"`{name}` wants a number of at least 0, not {value!r:.60}.")
        found[name] = value if value is None or math.isfinite(value) else None
    tokens = found["max_tokens"]
    return Budget(None if tokens is None else int(tokens), found["max_usd"])

"""The state schema of a MiniGrid environment, derived from grids that it makes, and how each field is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from reward_agent.envs.minigrid.cells import (
    ACTIONS,
    BALL,
    BOX,
    DOOR,
    DROP,
    EMPTY,
    GOAL,
    KEY,
    LAVA,
    LOCKED,
    NAMES,
    WALL,
    kind_of,
)
from reward_agent.envs.minigrid.level import Level
from reward_agent.envs.minigrid.names import SUCCESS
from reward_agent.envs.minigrid.native import Native
from reward_agent.schema import ActionSpec, Constant, Entity, Field, StateSchema

DT = 1.0
_SAMPLED = 8
"""Grids that are looked at for what the task has."""
_NOWHERE = 0
"""A cell in the margin's corner: where what is not there is."""

_ENTITIES = {
    KEY: ("Thing", "the key, or the nearest one"),
    BALL: ("Thing", "the ball, or the nearest one"),
    BOX: ("Thing", "the box, or the nearest one; toggled, it is opened and gone"),
    GOAL: ("Place", "the green square"),
    LAVA: ("Hazard", "the nearest cell of lava, which kills who walks into it"),
}


_A_KIND = {DOOR: "a door, open or not", LAVA: "lava", GOAL: "the green square"}


@dataclass(frozen=True)
class Quantity:
    """A field of the state, and what reads it from a level."""

    field: Field
    read: Callable[[Level], Any]


@dataclass(frozen=True)
class Derived:
    """All that an environment gives."""

    schema: StateSchema
    quantities: dict[str, Quantity]
    """By field path."""
    kinds: frozenset[int]
    """Codes of what its grids hold; doors in any state are `DOOR`."""


@cache
def derive(env: str) -> Derived:
    """The schema of `env` and the origin of each field."""
    native = Native(env)
    levels = []
    for seed in range(_SAMPLED):
        native.reset(seed)
        levels.append(native.level)
    kinds = frozenset(kind_of(code) for level in levels for code in level.cells)
    entities = [Entity("agent", "Agent", "who acts; it faces one of four ways")]
    quantities = list(_of_agent())
    for kind, (noun, doc) in _ENTITIES.items():
        if kind in kinds:
            entities.append(Entity(NAMES[kind], noun, doc))
            quantities += _of_thing(NAMES[kind], _nearest(kind), passable=kind != LAVA)
    if DOOR in kinds:
        entities.append(Entity("door", "Door", "the door that was locked at first"))
        quantities += _of_door("door", lambda level: level.lock)
    if any(len(level.doors()) > 1 for level in levels):
        entities.append(Entity("other_door", "Door", "the nearest of the doors that never had a lock"))
        quantities += _of_door("other_door", _other_door)
    entities.append(Entity("outcome", "Outcome", "what MiniGrid says"))
    success = Field(SUCCESS, "the agent stands on the goal or carries what it was to pick up", kind="bool", hidden=True)
    quantities.append(Quantity(success, lambda level: level.success))
    schema = StateSchema(
        fields=tuple(quantity.field for quantity in quantities),
        entities=tuple(entities),
        # nothing is dropped by who carries nothing
        action=ActionSpec(ACTIONS, discrete=True, idle=DROP),
        constants=tuple(_constants(levels[0], kinds)),
    )
    return Derived(schema, {quantity.field.path: quantity for quantity in quantities}, kinds)


def _nearest(kind: int) -> Callable[[Level], int]:
    """What finds the nearest one: where the agent is if it carries one."""
    return lambda level: level.at if level.carrying == kind else level.nearest(level.holding(kind))


def _other_door(level: Level) -> int:
    return level.nearest(cell for cell in level.doors() if cell != level.lock)


def _of_agent() -> Iterator[Quantity]:
    yield Quantity(
        Field("agent.position", "column and row, from 0 at the top left", "cell", (2,)),
        lambda level: level.place(level.at),
    )
    yield Quantity(
        Field("agent.direction", "which way it faces: 0 right, 1 down, 2 left, 3 up", kind="int"),
        lambda level: level.facing,
    )
    yield Quantity(
        Field("agent.front_position", "column and row of the cell before it", "cell", (2,)),
        lambda level: level.place(level.front),
    )
    yield Quantity(
        Field("agent.front", "kind of what the cell before it holds: one of the constants", kind="int"),
        lambda level: kind_of(level.cells[level.front]),
    )
    yield Quantity(
        Field(
            "agent.carrying", "kind of what it carries: one of the constants, `constants.empty` for nothing", kind="int"
        ),
        lambda level: level.carrying,
    )


def _of_thing(name: str, find: Callable[[Level], int], *, passable: bool = True) -> Iterator[Quantity]:
    """A thing at the cell that `find` tells of a level, `_NOWHERE` where there is none."""

    # all fields of a thing are read of one instant after the other
    find = lru_cache(maxsize=1)(find)

    def told(there: Callable[[Level, int], Any], otherwise: Callable[[Level], Any]) -> Callable[[Level], Any]:
        def read(level: Level) -> Any:
            cell = find(level)
            return otherwise(level) if cell == _NOWHERE else there(level, cell)

        return read

    yield Quantity(
        Field(f"{name}.exists", "it is there, on the grid or in hand", kind="bool"),
        told(lambda level, cell: True, lambda level: False),
    )
    yield Quantity(
        Field(
            f"{name}.position", "column and row, the agent's while it carries it; -1 where there is none", "cell", (2,)
        ),
        told(lambda level, cell: level.place(cell), lambda level: (-1, -1)),
    )
    yield Quantity(
        Field(f"{name}.distance", "columns plus rows from the agent to it, whatever is between", "cell"),
        told(lambda level, cell: level.distance(cell), lambda level: level.no_path),
    )
    if passable:
        way = (
            "moves of the shortest way from the agent onto it, around walls and lava, turns not counted; a shut door "
            "or a thing in the way counts one more; `constants.no_path` where there is no way"
        )
        yield Quantity(
            Field(f"{name}.path_length", way, "cell"),
            told(lambda level, cell: level.path_length(cell), lambda level: level.no_path),
        )


def _of_door(name: str, find: Callable[[Level], int]) -> Iterator[Quantity]:
    find = lru_cache(maxsize=1)(find)
    yield from _of_thing(name, find)
    yield Quantity(Field(f"{name}.open", "it stands open", kind="bool"), lambda level: level.cells[find(level)] == DOOR)
    yield Quantity(
        Field(f"{name}.locked", "it is locked: only who carries the key opens it", kind="bool"),
        lambda level: level.cells[find(level)] == LOCKED,
    )


def _constants(level: Level, kinds: frozenset[int]) -> Iterator[Constant]:
    yield Constant("dt", DT, "one step", "s")
    yield Constant("width", level.width, "columns of the grid, walls included", "cell")
    yield Constant("height", level.height, "rows of the grid, walls included", "cell")
    yield Constant("no_path", level.no_path, "a length for ways that do not exist: longer than any that does", "cell")
    yield Constant("empty", EMPTY, "the kind of a cell that holds nothing")
    for kind in (WALL, *sorted(kinds - {EMPTY, WALL})):
        yield Constant(NAMES[kind], kind, f"the kind of {_A_KIND.get(kind, f'a {NAMES[kind]}')}")

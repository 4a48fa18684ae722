"""The fields of MiniHack's environments: what the screen shows at an instant, in numbers. Nothing that it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial

from numpy.typing import ArrayLike

from reward_agent.envs.minihack.game import Game, Seen
from reward_agent.envs.minihack.glyphs import NUMBER
from reward_agent.envs.minihack.scenes import FLAGS, SCENES, THINGS
from reward_agent.schema import ActionSpec, Entity, Field, StateSchema

WON, DEAD = "outcome.success", "outcome.death"
"""Hidden: for metrics."""
NOWHERE = -1
"""Position and distance of what is not on the map."""
_SQUARES = "squares"


@dataclass(frozen=True)
class Derived:
    """A schema, and how each field is read off the screen."""

    schema: StateSchema
    read: Mapping[str, Callable[[Seen], ArrayLike]]


@cache
def derive(env: str) -> Derived:
    """The schema of an environment, as `KeyRoom-S5`."""
    scene, game = SCENES[env], Game(env)
    try:
        names = game.actions
    finally:
        game.close()
    idle = names.index("pickup") if "pickup" in names else names.index("search") if "search" in names else 0
    fields: dict[Field, Callable[[Seen], ArrayLike]] = {
        Field("agent.position", "column (east is more) and row (south is more) on the map", _SQUARES, (2,), "int"): (
            lambda seen: seen.at[::-1]
        ),
        Field("map.known", "squares that the agent has seen so far", _SQUARES, kind="int"): (
            lambda seen: int((seen.kinds != NUMBER["unknown"]).sum())
        ),
    }
    entities = [
        Entity("agent", "Agent", "the character that actions move"),
        Entity("map", "Map", "the map as the agent knows it: what it saw once stays on it"),
    ]
    for name in scene.things:
        number = NUMBER[name]
        entities.append(Entity(name, "Thing", THINGS[name]))
        fields |= {
            Field(f"{name}.exists", "one is on the map; the agent hides what it stands on", kind="bool"): partial(
                _exists, number
            ),
            Field(f"{name}.count", "how many are on the map", kind="int"): partial(_count, number),
            Field(f"{name}.position", "of the nearest one, as the agent's; -1 where none is", _SQUARES, (2,), "int"): (
                partial(_position, number)
            ),
            Field(f"{name}.distance", "moves of a king to the nearest one; -1 where none is", kind="int"): (
                partial(_distance, number)
            ),
        }
    if scene.carries_key:
        entities.append(Entity("inventory", "Inventory", "what the agent carries"))
        fields[Field("inventory.key", "the agent carries the key", kind="bool")] = carries_key
    entities.append(Entity("message", "Message", "what the game says after an action"))
    fields |= {Field(f"message.{name}", FLAGS[name][1], kind="bool"): partial(says, name) for name in scene.flags}
    entities.append(Entity("outcome", "Outcome", "how the episode stands"))
    fields[Field(WON, "the agent stands on the stairs down", kind="bool", hidden=True)] = lambda seen: seen.won
    fields[Field(DEAD, "the agent died", kind="bool", hidden=True)] = lambda seen: seen.dead
    schema = StateSchema(tuple(fields), tuple(entities), ActionSpec(names, discrete=True, idle=idle))
    return Derived(schema, {field.path: read for field, read in fields.items()})


def carries_key(seen: Seen) -> bool:
    """A key is in the inventory; a lock pick is none."""
    return _has_key(seen.inventory)


def says(flag: str, seen: Seen) -> bool:
    """The message says that (see `scenes.FLAGS`)."""
    return _matches(flag, seen.message)


@lru_cache(maxsize=4096)
def _matches(flag: str, message: str) -> bool:
    return re.search(FLAGS[flag][0], message) is not None


@lru_cache(maxsize=1024)
def _has_key(inventory: tuple[str, ...]) -> bool:
    return any(re.search(r"\bkey\b", line) for line in inventory)


def _exists(number: int, seen: Seen) -> bool:
    return bool(seen.squares(number))


def _count(number: int, seen: Seen) -> int:
    return len(seen.squares(number))


def _distance(number: int, seen: Seen) -> int:
    return min((_far(square, seen) for square in seen.squares(number)), default=NOWHERE)


def _position(number: int, seen: Seen) -> tuple[int, int]:
    """Of several that are as near the first by rows, then columns."""
    row, column = min(seen.squares(number), key=lambda square: _far(square, seen), default=(NOWHERE, NOWHERE))
    return column, row


def _far(square: tuple[int, int], seen: Seen) -> int:
    return max(abs(square[0] - seen.at[0]), abs(square[1] - seen.at[1]))

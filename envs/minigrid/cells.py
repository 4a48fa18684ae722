"""What a cell of the grid can hold: MiniGrid's own numbers, with one more for each state of a door."""

from __future__ import annotations

UNSEEN, EMPTY, WALL, DOOR, KEY, BALL, BOX, GOAL, LAVA = 0, 1, 2, 4, 5, 6, 7, 8, 9
"""As MiniGrid encodes them; a `DOOR` is an open one."""
CLOSED, LOCKED = 11, 12
"""Doors that are shut, without a lock or with."""
CODES = 13
"""All of them are below this."""

DOORS = (DOOR, CLOSED, LOCKED)
PORTABLE = (KEY, BALL, BOX)
"""What can be picked up, one thing at a time."""
ENTERED = (EMPTY, DOOR, GOAL, LAVA)
"""What the agent can walk into."""
OPAQUE = (WALL, CLOSED, LOCKED)
"""What nobody sees through."""

NAMES = {
    UNSEEN: "unseen",
    EMPTY: "empty",
    WALL: "wall",
    DOOR: "door",
    KEY: "key",
    BALL: "ball",
    BOX: "box",
    GOAL: "goal",
    LAVA: "lava",
}
KINDS = {name: number for number, name in NAMES.items()}
"""MiniGrid's words for them."""

LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE = range(6)
ACTIONS = ("left", "right", "forward", "pickup", "drop", "toggle")
"""By MiniGrid's numbers. Its seventh, `done`, does nothing in any of these tasks and is left out."""


def kind_of(code: int) -> int:
    """MiniGrid's number: the same for a door in any state."""
    return DOOR if code in DOORS else code

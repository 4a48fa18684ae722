"""A level as a screen of characters."""

from __future__ import annotations

from collections.abc import Iterable

from reward_agent.envs.minigrid.cells import (
    BALL,
    BOX,
    CLOSED,
    DOOR,
    EMPTY,
    GOAL,
    KEY,
    LAVA,
    LOCKED,
    UNSEEN,
    WALL,
)
from reward_agent.envs.minigrid.level import MARGIN, Level
from reward_agent.envs.minigrid.view import SIDE, view
from reward_agent.task import Screen

AGENT = ">v<^"
"""Facing right, down, left and up."""
CHARACTERS = {
    UNSEEN: ("?", "unseen"),
    EMPTY: (".", "floor"),
    WALL: ("#", "wall"),
    DOOR: ("/", "open door"),
    CLOSED: ("+", "closed door"),
    LOCKED: ("L", "locked door"),
    KEY: ("k", "key"),
    BALL: ("o", "ball"),
    BOX: ("B", "box"),
    GOAL: ("G", "goal"),
    LAVA: ("~", "lava"),
}
_TABLE = bytes(ord(CHARACTERS[code][0]) if code in CHARACTERS else 0 for code in range(256))


def legend(kinds: Iterable[int]) -> dict[str, str]:
    """What the characters stand for, of those that a task's screens can have.

    Args:
        kinds: codes of what the task has, shut and locked doors as `DOOR`.
    """
    shown = {UNSEEN, EMPTY, WALL, *kinds}
    shown |= {CLOSED, LOCKED} if DOOR in shown else set()
    ways = ("right", "down", "left", "up, as always in the view around it, where ahead is above")
    facing = {mark: f"the agent, facing {way}" for mark, way in zip(AGENT, ways, strict=True)}
    return facing | {mark: meaning for code, (mark, meaning) in CHARACTERS.items() if code in shown}


def screen(level: Level, inventory: tuple[str, ...]) -> Screen:
    """The agent's view, turned so that it looks up from the middle of the last row, and the whole grid."""
    marks = view(level).tobytes().translate(_TABLE).decode()
    crop = [marks[row : row + SIDE] for row in range(0, SIDE * SIDE, SIDE)]
    crop[-1] = crop[-1][: SIDE // 2] + "^" + crop[-1][SIDE // 2 + 1 :]
    whole = bytearray(level.cells.translate(_TABLE))
    whole[level.at] = ord(AGENT[level.facing])
    rows = range(MARGIN, MARGIN + level.height)
    starts = [row * level.stride + MARGIN for row in rows]
    full = [whole[start : start + level.width].decode() for start in starts]
    return Screen("\n".join(crop), "\n".join(full), "", inventory)

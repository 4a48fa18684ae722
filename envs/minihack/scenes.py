"""What each of MiniHack's environments has in it that fields are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reward_agent.subgoals import Subgoal

THINGS: Final = {
    "key": "the key that lies on the floor",
    "closed_door": "a door that is shut, locked or not",
    "open_door": "a door that is open",
    "stairs_down": "the staircase that leads down",
    "stairs_up": "the staircase that leads up",
    "boulder": "a boulder, which is pushed by walking against it",
    "water": "water, which nobody can walk on; a boulder that is pushed into it fills it",
    "lava": "lava, which kills",
    "monster": "a monster",
    "thing": "anything else that lies on the floor",
}
"""Kinds of squares (`glyphs.KINDS`) that are entities where an environment has them."""
FLAGS: Final = {
    "sees_key": (r"\b(see|feel) here .*\bkey\b", "the agent stands on the key"),
    "picks_up": (r"^\S - ", "the agent picked something up"),
    "nothing_here": (r"nothing here", "there is nothing to pick up where the agent stands"),
    "wall": (r"It's (a wall|solid stone)", "the agent walked against a wall or rock"),
    "locked": (r"door is locked", "the agent walked against a locked door"),
    "door_opens": (r"door opens", "a door opened"),
    "door_stuck": (r"door (is stuck|won't budge)|door resists", "a door did not open"),
    "pushes": (r"With great effort you move|you push the boulder", "the agent pushed a boulder"),
    "boulder_fills": (r"boulder (fills|sinks)|pushed? the boulder into", "a boulder went into the water"),
    "never_mind": (
        r"^Never mind",
        "what was begun came to nothing, as using a key where nothing is locked",
    ),
}
"""What the game says, by flag: a pattern, and what it means."""


CONTROL: Final = (
    "a character of NetHack on a map of squares, who sees what is lit and not behind a wall, and walks a square a "
    "turn, in any of eight directions, but not askew through a door"
)
"""What every level's agent is."""
KEY_CONTROL: Final = f"{CONTROL}; it picks up what it stands on, and applies the key it carries to a door beside it"
PUSH_CONTROL: Final = f"{CONTROL}; it pushes a boulder by walking against it, into water too"
KEYROOM: Final = (
    Subgoal("pick_up_key", "the agent picked up the key"),
    Subgoal("open_door", "the agent unlocked and opened the door"),
)
"""CALM's own subgoals of its key rooms."""
RIVER: Final = (
    Subgoal("push_boulder", "the agent pushed a boulder"),
    Subgoal("fill_water", "a boulder filled a square of the water"),
)


@dataclass(frozen=True)
class Scene:
    """Of one environment."""

    things: tuple[str, ...]
    flags: tuple[str, ...]
    crop: int = 9
    """Rows and columns around the agent that a policy and the cropped screen see; odd."""

    @property
    def carries_key(self) -> bool:
        return "key" in self.things


_KEY_ROOM = Scene(
    ("key", "closed_door", "open_door", "stairs_down"),
    ("sees_key", "picks_up", "nothing_here", "wall", "locked", "never_mind"),
)
_ROOMS = Scene(("closed_door", "open_door", "stairs_down"), ("wall", "door_opens", "door_stuck"))
_CORRIDOR = Scene(("stairs_down", "monster"), ("wall",))
_RIVER = Scene(("boulder", "water", "stairs_down"), ("wall", "pushes", "boulder_fills"))

SCENES: Final = {
    "KeyRoom-S5": _KEY_ROOM,
    "KeyRoom-Fixed-S5": _KEY_ROOM,
    "KeyRoom-S15": Scene(_KEY_ROOM.things, _KEY_ROOM.flags, crop=15),
    "Corridor-R2": _CORRIDOR,
    "Corridor-R3": _CORRIDOR,
    "MultiRoom-N2": _ROOMS,
    "MultiRoom-N4": _ROOMS,
    "River": _RIVER,
    "River-Narrow": _RIVER,
}
"""By environment, without `MiniHack-` and the version."""

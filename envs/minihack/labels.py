"""What is truly so in a key room: labels of its subgoals (`scenes.KEYROOM`) from the game's own state.

They are read beside what screens and programs go by, from a game of their own that is played by the same seed and
actions: that the key is carried, from the kinds of the objects in the inventory (not from how the screen calls them,
nor from a message); that the door is opened, from NetHack's number for the square where the door is, which was a
closed door's and is an open one's. NetHack tells no more of a door than what it draws there, so that number is also
what the field `closed_door` is made of, by way of a table of kinds and of counts over the map. No person labelled
anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reward_agent.envs.minihack.game import DEAD, begin, make_native, step
from reward_agent.envs.minihack.scenes import KEYROOM

_KEY = "skeleton key"
_OPEN, _CLOSED = (13, 14), (15, 16)
"""NetHack's numbers of doors among what a level is built of (`defsym.h`)."""
_PICKED_UP, _OPENED = (each.name for each in KEYROOM)


class KeyRoomLabels:
    """Says of each step of a game which subgoals it reached.

    Args:
        env: as `KeyRoom-S5`.
        level: as `Game`'s.
    """

    def __init__(self, env: str, level: int | None = None) -> None:
        from nle import nethack

        self._native, self._level, self._nethack = make_native(env, ("glyphs", "inv_glyphs")), level, nethack
        self._carried = False
        self._glyphs = np.zeros((0, 0), np.int64)

    def reset(self, seed: int) -> None:
        """Begin an episode."""
        self._keep(begin(self._native, seed, self._level))

    def step(self, action: int) -> dict[str, bool]:
        """Do one action; whether it reached each subgoal."""
        carried, glyphs = self._carried, self._glyphs
        observation, _, end = step(self._native, action)
        if end == DEAD:  # NetHack clears the map
            return {_PICKED_UP: False, _OPENED: False}
        self._keep(observation)
        opened = self._doors(glyphs, _CLOSED) & self._doors(self._glyphs, _OPEN)
        return {_PICKED_UP: self._carried and not carried, _OPENED: bool(opened.any())}

    def close(self) -> None:
        self._native.close()

    def _keep(self, observation: Mapping[str, Any]) -> None:
        self._glyphs = observation["glyphs"].copy()
        self._carried = any(self._is_key(int(glyph)) for glyph in observation["inv_glyphs"])

    def _is_key(self, glyph: int) -> bool:
        told = self._nethack
        return bool(told.glyph_is_object(glyph)) and told.objdescr.from_idx(told.glyph_to_obj(glyph)).oc_name == _KEY

    def _doors(self, glyphs: Any, numbers: tuple[int, ...]) -> Any:
        return np.isin(glyphs, [self._nethack.GLYPH_CMAP_OFF + number for number in numbers])

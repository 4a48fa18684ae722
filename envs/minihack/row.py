"""One MiniHack game as a row of a batch (`envs/rows.py`)."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.minihack.game import Game, Seen
from reward_agent.envs.minihack.glyphs import KINDS
from reward_agent.envs.minihack.scenes import SCENES
from reward_agent.envs.minihack.schema import carries_key, derive, says
from reward_agent.envs.rows import RowStep
from reward_agent.schema import Array, StateSchema
from reward_agent.task import ActionSpace, Screen

_SCREEN = (21, 79)
"""Rows and columns of a map."""


class MiniHackRow:
    """One game that packs `fields` (`rows.TextRow`).

    A policy observes its surroundings, `crop` by `crop` squares with the agent in the middle, each one-hot by kind
    (`glyphs.KINDS`); then its place on the map as shares of it, whether it carries a key, and the message's flags.
    """

    def __init__(self, env: str, level: int | None, fields: StateSchema) -> None:
        self._game, self._scene = Game(env, level), SCENES[env]
        known = derive(env).read
        self._reads = [(columns, known[path]) for path, columns in fields.columns.items()]
        self._width = fields.width
        self.action_space: ActionSpace = gymnasium.spaces.Discrete(len(self._game.actions))
        squares = self._scene.crop**2
        self._first = np.arange(squares) * len(KINDS)
        """Where each square's numbers begin."""
        size = squares * len(KINDS) + 3 + len(self._scene.flags)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (size,))
        self._seen: Seen | None = None

    @property
    def seen(self) -> Seen:
        """What is on the screen now."""
        assert self._seen is not None, "reset comes first"
        return self._seen

    def reset(self, seed: int) -> Array:
        """See `rows.Row`."""
        self._seen = self._game.reset(seed)
        return self._observation()

    def step(self, action: Array) -> RowStep:
        """See `rows.Row`."""
        self._seen = self._game.step(int(action[0]))
        return RowStep(self._observation(), self._seen.won or self._seen.dead, False)

    def state(self) -> Array:
        """See `rows.Row`."""
        packed = np.empty(self._width)
        for columns, read in self._reads:
            packed[columns] = read(self.seen)
        return packed

    def screen(self) -> Screen:
        """See `rows.TextRow`."""
        seen = self.seen
        crop = _around(seen.characters, seen.at, self._scene.crop, ord(" "))
        rows, columns = (np.flatnonzero((seen.characters != ord(" ")).any(axis=axis)) for axis in (1, 0))
        full = seen.characters[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Screen(_lines(crop), _lines(full), seen.message, seen.inventory)

    def render(self) -> NDArray[np.uint8]:
        """The map as an image `(H, W, 3)`, its characters in a fixed-width font."""
        from reward_agent.envs.minihack.drawing import draw

        return draw(self.seen)

    def close(self) -> None:
        self._game.close()

    def _observation(self) -> Array:
        seen = self.seen
        crop = _around(seen.kinds, seen.at, self._scene.crop, 0)
        observation = np.zeros(self.observation_space.shape)
        observation[self._first + crop.ravel()] = 1.0
        (row, column), (rows, columns) = seen.at, _SCREEN
        said = (says(flag, seen) for flag in self._scene.flags)
        observation[len(self._first) * len(KINDS) :] = (row / rows, column / columns, carries_key(seen), *said)
        return observation


def _around(squares: NDArray[Any], at: tuple[int, int], size: int, empty: int) -> NDArray[Any]:
    """`(size, size)` of them around a square; beyond the map, `empty`."""
    (height, width), half = squares.shape, size // 2
    top, left = at[0] - half, at[1] - half
    around = np.full((size, size), empty, squares.dtype)
    rows, columns = slice(max(top, 0), min(top + size, height)), slice(max(left, 0), min(left + size, width))
    around[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = squares[rows, columns]
    return around


def _lines(characters: NDArray[Any]) -> str:
    return "\n".join(bytes(line).decode("latin-1") for line in characters.astype(np.uint8))

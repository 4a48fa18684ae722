"""One MiniGrid environment as a row of a batch (`envs/rows.py`)."""

from __future__ import annotations

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.minigrid.cells import ACTIONS
from reward_agent.envs.minigrid.level import Level
from reward_agent.envs.minigrid.native import Native
from reward_agent.envs.minigrid.schema import derive
from reward_agent.envs.minigrid.text import screen
from reward_agent.envs.minigrid.view import Observer
from reward_agent.envs.rows import RowStep
from reward_agent.schema import Array, StateSchema
from reward_agent.task import ActionSpace, Screen

_TILE = 32
"""Pixels of a cell's side in pictures."""


class MiniGridRow:
    """One environment that packs `fields` (`rows.TextRow`)."""

    def __init__(self, env: str, fields: StateSchema) -> None:
        self._native = Native(env)
        derived = derive(env)
        self._observe = Observer(derived.kinds)
        self.observation_space: gymnasium.spaces.Box = self._observe.space
        self.action_space: ActionSpace = gymnasium.spaces.Discrete(len(ACTIONS))
        self._reads = [
            (columns, derived.quantities[field.path].read)
            for field, columns in zip(fields.fields, fields.columns.values(), strict=True)
        ]
        self._width = fields.width

    @property
    def level(self) -> Level:
        """This instant, as `scripted` reads it."""
        return self._native.level

    def reset(self, seed: int) -> Array:
        """See `rows.Row`."""
        self._native.reset(seed)
        return self._observe(self.level)

    def step(self, action: Array) -> RowStep:
        """See `rows.Row`."""
        terminated = self._native.step(int(action[0]))
        return RowStep(self._observe(self.level), terminated, False)

    def state(self) -> Array:
        """See `rows.Row`."""
        packed, level = np.empty(self._width), self.level
        for columns, read in self._reads:
            packed[columns] = read(level)
        return packed

    def screen(self) -> Screen:
        """See `task.OnScreen`: the agent's view, then the whole grid."""
        return screen(self.level, self._native.carried())

    def render(self) -> NDArray[np.uint8]:
        """MiniGrid's own picture of the whole grid, in which what the agent sees is lighter."""
        image: NDArray[np.uint8] = self._native.env.get_frame(tile_size=_TILE)
        return image

    def close(self) -> None:
        """Nothing is held."""

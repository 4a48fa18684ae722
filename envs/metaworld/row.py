"""One Meta-World environment as a row of a batch (`envs/rows.py`)."""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.metaworld.native import Native
from reward_agent.envs.metaworld.schema import derive
from reward_agent.envs.rows import RowStep
from reward_agent.schema import Array, StateSchema
from reward_agent.task import ActionSpace

_LOOK_AT, _FROM = (0.0, 0.7, 0.1), (1.3, 140.0, -30.0)
"""The middle of the table (m), and the camera's distance (m), azimuth and elevation (degrees) from it."""


class MetaWorldRow:
    """One environment that packs `fields` (`rows.Row`)."""

    def __init__(self, env: str, fields: StateSchema) -> None:
        self._native = Native(env)
        self.observation_space: gymnasium.spaces.Box = self._native.env.sawyer_observation_space
        self.action_space: ActionSpace = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
        quantities = [derive(env).quantities[field.path] for field in fields.fields]
        self._reads = [
            (columns, quantity.read(self._native))
            for columns, quantity in zip(fields.columns.values(), quantities, strict=True)
        ]
        self._moving = any(quantity.moving for quantity in quantities)
        self._judged = any(quantity.judged for quantity in quantities)
        self._width = fields.width
        self._camera: Any = None

    def reset(self, seed: int) -> Array:
        """See `rows.Row`."""
        return self._native.reset(seed)

    def step(self, action: Array) -> RowStep:
        """See `rows.Row`. Meta-World ends no episode but by its length, which is the task's here."""
        observation = self._native.step(action)
        if self._judged:
            self._native.judge()
        return RowStep(observation, False, False)

    def state(self) -> Array:
        """See `rows.Row`."""
        if self._moving:
            self._native.bring_velocities()
        packed = np.empty(self._width)
        for columns, read in self._reads:
            packed[columns] = read()
        return packed

    def render(self) -> NDArray[np.uint8]:
        """An image `(240, 320, 3)` from a fixed place that looks at the table.

        Raises:
            MissingComponentError: no way of drawing off-screen works here.
        """
        from reward_agent.envs.camera import Camera

        model, data = self._native.model, self._native.data
        if self._camera is None:
            self._camera = Camera(model, _LOOK_AT, _FROM)
        kind = mujoco.mjtState.mjSTATE_INTEGRATION
        state = np.empty(mujoco.mj_stateSize(model, kind))
        mujoco.mj_getState(model, data, state, kind)
        image: NDArray[np.uint8] = self._camera.image(state)
        return image

    def close(self) -> None:
        """Free the camera, if there is one."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

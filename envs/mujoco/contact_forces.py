"""Contact forces exactly as Gymnasium has them, computed beside the batch.

MuJoCo finds `cfrc_ext` only when asked (`mj_rnePostConstraint`), from what the last sub-step left in its data, and the
batch keeps no such data. So the last sub-step of each row is done again, from the state before it, on data of our own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_agent.schema import Array
from reward_agent.task import Bools


class ContactForces:
    """`values` `(N, nbody, 6)`: torque and force on each body in the last sub-step; zeros after a reset."""

    def __init__(self, model: Any, num_envs: int, frame_skip: int, state_width: int) -> None:
        import mujoco

        self._model, self._data = model, mujoco.MjData(model)
        self.values: Array = np.zeros((num_envs, model.nbody, 6))
        self.history: Array = np.zeros((num_envs, frame_skip, state_width))
        """Filled by the batch's step: the state after each sub-step."""

    def advance(self) -> None:
        """Compute the forces of the step that `history` tells of."""
        import mujoco

        model, data = self._model, self._data
        for row, state in enumerate(self.history[:, -2]):
            mujoco.mj_setState(model, data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
            mujoco.mj_step(model, data)
            mujoco.mj_rnePostConstraint(model, data)
            self.values[row] = data.cfrc_ext

    def begin(self, mask: Bools) -> None:
        """Episodes began in these rows."""
        self.values[mask] = 0

"""What the simulator says of one environment by its calls for single actors: what batches are held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_agent.errors import UsageError
from reward_agent.schema import Array

if TYPE_CHECKING:
    from reward_agent.envs.isaac.world import IsaacGym


class IsaacWitness:
    """One environment, its joints read with `get_actor_dof_states`. Isaac Gym has that on its CPU pipeline alone.

    Of roots and links it tells nothing: right after a reset no call of the simulator does.

    Raises:
        UsageError: the world simulates on a GPU.
    """

    def __init__(self, world: IsaacGym) -> None:
        if world.device != "cpu":
            raise UsageError("A witness reads the simulator by calls of its CPU pipeline; use device='cpu' for it.")
        schema, columns = world.schema(), world.columns()
        paths = [field.path for field in schema.fields if field.path.startswith("joints.")]
        first = min((column for path in paths for column in columns[path]), default=0)
        self._at = {path: [column - first for column in columns[path]] for path in paths}
        self._scalar = {path for path in paths if schema.by_path[path].shape == ()}
        self._batch = world.make(1, schema.select([]))
        self._reward: float | None = None

    def reset(self, seed: int) -> Mapping[str, Any]:
        """Begin an episode; the fields of joints."""
        self._batch.reset(np.ones(1, bool), np.array([seed]))
        return self._tell(stepped=False)

    def step(self, action: Array) -> Mapping[str, Any]:
        """Apply an action `(A,)`; the same fields."""
        self._batch.step(np.asarray(action)[None])
        return self._tell(stepped=True)

    def secrets(self) -> Mapping[str, float]:
        """The task's own reward of the last step."""
        return {} if self._reward is None else {"native_reward": self._reward}

    def close(self) -> None:
        self._batch.close()

    def _tell(self, *, stepped: bool) -> Mapping[str, Any]:
        told = self._batch.testify()
        self._reward = float(told["reward"][0]) if stepped else None
        flat = told["joints"].reshape(-1)
        return {path: flat[at][0] if path in self._scalar else flat[at] for path, at in self._at.items()}

"""What the tiny worlds of tests share: batches whose episodes are a row of numbers each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.schema import Array, StateSchema
from reward_agent.task import ActionSpace, Bools, Ints


class TinyBatch:
    """N rows of numbers, observed as they are. A world adds `step`, how an episode begins and what its fields are."""

    def __init__(self, num_envs: int, fields: StateSchema, width: int, action_space: ActionSpace) -> None:
        self.num_envs, self.schema = num_envs, fields
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (width,), np.float32)
        self.action_space = action_space
        self._x: Array = np.zeros((num_envs, width))

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        for row in np.flatnonzero(mask):
            self._x[row] = self._begin(np.random.default_rng(seeds[row]))
        return self._x.copy(), self._pack()

    def save(self) -> dict[str, NDArray[Any]]:
        return {"x": self._x.copy()}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self._x = saved["x"].copy()

    def close(self) -> None:
        pass

    def _begin(self, generator: np.random.Generator) -> Any:
        """The numbers that an episode begins with."""
        raise NotImplementedError

    def _values(self) -> dict[str, Any]:
        """All fields by path, each `(N, …)`."""
        raise NotImplementedError

    def _pack(self) -> Array:
        values = self._values()
        columns = [np.reshape(values[field.path], (self.num_envs, -1)) for field in self.schema.fields]
        return np.concatenate([np.zeros((self.num_envs, 0)), *columns], axis=1)

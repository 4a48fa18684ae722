"""What a task's packed actions `(N, A)` are: as applied, drawn at random, and none at all.

A continuous action is packed as it is. A discrete one is a single column that holds its number, 0 to n - 1, as float.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import UsageError
from reward_agent.schema import ActionSpec, Array
from reward_agent.task import ActionSpace


@dataclass(frozen=True)
class Actions:
    """The packed actions of one space."""

    space: ActionSpace
    idle_number: int = 0
    """Of a discrete space: see `ActionSpec.idle`."""

    @classmethod
    def of(cls, spec: ActionSpec) -> Actions:
        """Of what a schema says, where no environment is at hand."""
        if spec.discrete:
            return cls(gymnasium.spaces.Discrete(len(spec.names)), spec.idle)
        return cls(gymnasium.spaces.Box(np.array(spec.low), np.array(spec.high), dtype=np.float64))

    @property
    def before_any(self) -> float:
        """What `episode.previous_action` holds at an episode's first step."""
        return -1.0 if isinstance(self.space, gymnasium.spaces.Discrete) else 0.0

    def applied(self, given: NDArray[Any]) -> Array:
        """What is done of what was asked for, `(N, A)`: within the bounds; the nearest number of a discrete space.

        Args:
            given: `(N, A)`; numbers may also be `(N,)`.
        """
        if isinstance(self.space, gymnasium.spaces.Discrete):
            numbers: Array = np.clip(np.rint(given), 0, self.space.n - 1).astype(np.float64)
            return numbers.reshape(-1, 1)
        bounded: Array = np.clip(given, self.space.low, self.space.high).astype(np.float64)
        return bounded

    def draw(self, generator: np.random.Generator, rows: int) -> Array:
        """Drawn evenly, `(rows, A)`."""
        if isinstance(self.space, gymnasium.spaces.Discrete):
            return generator.integers(self.space.n, size=(rows, 1)).astype(np.float64)
        return generator.uniform(self.space.low, self.space.high, (rows, len(self.space.low)))

    def idle(self, rows: int) -> Array:
        """No action, `(rows, A)`: zeros within the bounds; the idle number of a discrete space."""
        if isinstance(self.space, gymnasium.spaces.Discrete):
            return np.full((rows, 1), float(self.idle_number))
        return np.tile(np.clip(np.zeros(len(self.space.low)), self.space.low, self.space.high), (rows, 1))


def actions_of(space: gymnasium.Space[Any], spec: ActionSpec) -> Actions:
    """The packed actions of a batch whose schema says `spec`.

    Raises:
        UsageError: the space is of a kind that no reward can read, or not what the schema says.
    """
    if isinstance(space, gymnasium.spaces.Discrete):
        fits = spec.discrete and space.start == 0 and space.n == len(spec.names)
        kind = f"{space.n} numbered actions from {space.start} on"
    elif isinstance(space, gymnasium.spaces.Box):
        fits = not spec.discrete and space.shape == (spec.width,)
        kind = f"continuous actions of shape {space.shape}"
    else:
        raise UsageError(
            f"The environment's actions are {space}. A task has continuous ones (a flat Box) or numbered ones "
            "(Discrete): wrap the environment so that it takes one of these (`gymnasium.wrappers.TransformAction`)."
        )
    if not fits:
        wanted = f"{len(spec.names)} {'numbered actions from 0 on' if spec.discrete else 'continuous actions'}"
        raise UsageError(
            f"The world's batch has {kind}, but its schema names {wanted} ({', '.join(spec.names)}). Make the two "
            "agree; numbers that begin elsewhere are shifted by what steps the environment."
        )
    return Actions(space, spec.idle)

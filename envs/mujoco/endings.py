"""How episodes end that the environment's own rule would end at the wrong time."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from reward_agent.task import Bools, Termination


def fallen(height: float) -> Termination:
    """Ends an episode when the torso's centre is lower than `height` [m]; however high it leaps."""
    return Termination(f"the centre of the torso is lower than {height:g} m", ("torso.position",), _Low(height))


@dataclass(frozen=True)
class _Low:
    height: float

    def __call__(self, state: SimpleNamespace) -> Bools:
        return np.asarray(state.torso.position[..., 2] < self.height)

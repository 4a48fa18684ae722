"""Episodes for metrics, from states that were made up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from reward_agent.task import Episode

TURN = 2 * np.pi
GRAVITY = 9.81


def episode(state: Any, steps: int, dt: float, actions: int = 3, terminated: bool = False) -> Episode:
    constants = SimpleNamespace(dt=dt, gravity=GRAVITY, foot_radius=0.08)
    return Episode(state, np.zeros((steps, actions)), terminated, constants, dt)

"""Swing a rod up with a motor too weak to lift it: Gymnasium's Pendulum-v1, as one makes a card of any environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.envs.gymnasium.world import GymnasiumWorld
from reward_agent.task import Episode, Metric, Task

SECONDS = 2.0
"""At the end of an episode, in which the rod must stand."""
STANDS = 0.2
"""Radians from upright within which it stands."""


def state(env: Any, observation: Any) -> Mapping[str, Any]:
    """The rod, its angle from upright within ±pi."""
    angle, rate = env.state
    return {"rod.angle": (angle + np.pi) % (2 * np.pi) - np.pi, "rod.rate": rate}


def _angles(episode: Episode) -> Any:
    return np.abs(episode.state.rod.angle[-round(SECONDS / episode.dt) :])


def _stands(episode: Episode) -> float:
    return float((_angles(episode) < STANDS).all())


def _uprightness(episode: Episode) -> float:
    return float(np.cos(_angles(episode)).mean())


task = Task(
    id="gymnasium/pendulum-swing-up",
    instruction="swing the rod up and hold it upright",
    world=GymnasiumWorld(
        "Pendulum-v1",
        state,
        fields={
            "rod": "a rod that a motor turns about its end",
            "rod.angle": "from upright, within ±pi [rad]",
            "rod.rate": "rate of that angle [rad/s]",
        },
        actions=("torque",),
    ),
    horizon=200,
    metrics=(
        Metric("success", "success", "within 0.2 rad of upright in all of the last 2 s", ("rod.angle",), _stands),
        Metric("uprightness", "fitness", "mean cosine of the angle over the last 2 s", ("rod.angle",), _uprightness),
    ),
    preset="balance",
    budget=400_000,
    expert=Path(__file__).parents[1] / "experts" / "pendulum_swing_up.py",
    control="a rod on a hinge; its motor is too weak to lift it at once",
)

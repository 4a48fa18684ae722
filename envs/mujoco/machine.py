"""A simulated machine: its model, its rules around the physics, and what its parts are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import gymnasium

from reward_agent.envs.mujoco.names import ROBOTS, Robot
from reward_agent.envs.mujoco.native import NATIVE, Native
from reward_agent.schema import Constant


@dataclass(frozen=True, eq=False)
class Machine:
    """What a world of MuJoCo simulations is made of. There is one object of each: caches go by it."""

    name: str
    """As Gymnasium's id, for messages."""
    spec: Callable[[], Any]
    """A fresh `mujoco.MjSpec`, without our sites and sensors."""
    native: Native
    robot: Robot
    servos: str = ""
    """What an action of 1 does where actuators are no motors, as `its target, 1 is the upper limit`."""
    constants: Callable[[Any], tuple[Constant, ...]] = lambda model: ()
    """Of the model, beside those that every machine has."""


@cache
def gymnasium_machine(env: str) -> Machine:
    """One of Gymnasium's own, by its id.

    Raises:
        KeyError: it is none of the eleven.
    """
    return Machine(env, partial(_shipped, NATIVE[env].xml), NATIVE[env], ROBOTS[env])


def _shipped(xml: str) -> Any:
    import mujoco

    return mujoco.MjSpec.from_file(str(Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / xml))

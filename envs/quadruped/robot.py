"""The quadruped that ships: its model with servos."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import Any

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.quadruped.names import JOINTS, LEGS, ROBOT
from reward_agent.envs.quadruped.stance import Stance, add_servos, machine

STANDING = {"abduction": 0.0, "hip": 0.8, "knee": -1.6}
"""Joint angles in the pose that an action of 0 holds, rad."""
REACH = {"abduction": 0.8, "hip": 2.6, "knee": 1.1}
"""How far from there an action of 1 or -1 turns a servo's target, rad; joints stop at their limits."""
MASS, HEIGHT = 12.9, 0.28
"""Its weight, kg, and how high its torso's middle is when it stands, m."""

STANCE = Stance(
    angles=tuple(STANDING[joint] for _ in LEGS for joint in JOINTS),
    reach=tuple(REACH[joint] for _ in LEGS for joint in JOINTS),
    stiffness=60.0,
    damping=1.5,
    start=0.295,
)


@cache
def quadruped() -> Machine:
    """The robot that ships."""
    return machine("quadruped", _spec, STANCE, ROBOT)


def _spec() -> Any:
    import mujoco

    with as_file(files(__package__) / "quadruped.xml") as path:
        spec = mujoco.MjSpec.from_file(str(path))
    add_servos(spec, STANCE)
    return spec

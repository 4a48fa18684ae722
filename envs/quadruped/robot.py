"""The quadruped as a machine: its model with servos, how it starts, and what a policy sees of it."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.native import Data, Draw, Native
from reward_agent.envs.quadruped.names import DRIVEN, JOINTS, LEGS, ROBOT
from reward_agent.schema import Array, Constant

STIFFNESS, DAMPING = 60.0, 1.5
"""Of the servos: N m a rad, N m a rad/s."""
STANDING = {"abduction": 0.0, "hip": 0.8, "knee": -1.6}
"""Joint angles in the pose that an action of 0 holds, rad."""
REACH = {"abduction": 0.8, "hip": 2.6, "knee": 1.1}
"""How far from there an action of 1 or -1 turns a servo's target, rad; joints stop at their limits."""


@cache
def quadruped() -> Machine:
    """The robot that ships."""
    return Machine(
        name="quadruped",
        spec=_spec,
        native=Native(timestep=0.005, frame_skip=4, horizon=200, observe=_observe, draw=_draw),
        robot=ROBOT,
        servos="a servo, whose target an action of 1 or -1 moves furthest from where it stands",
        constants=_constants,
    )


def _spec() -> Any:
    import mujoco

    with as_file(files(__package__) / "quadruped.xml") as path:
        spec = mujoco.MjSpec.from_file(str(path))
    for leg in LEGS:
        for joint in JOINTS:
            name = f"{leg}_{joint}"
            spec.add_actuator(
                name=name,
                target=name,
                trntype=mujoco.mjtTrn.mjTRN_JOINT,
                gaintype=mujoco.mjtGain.mjGAIN_FIXED,
                biastype=mujoco.mjtBias.mjBIAS_AFFINE,
                gainprm=[STIFFNESS * REACH[joint], *[0.0] * 9],
                biasprm=[STIFFNESS * STANDING[joint], -STIFFNESS, -DAMPING, *[0.0] * 7],
                ctrlrange=[-1.0, 1.0],
            )
    return spec


def _observe(d: Data) -> Array:
    """Height, orientation, joints; velocities. Where it is in the plane is left out."""
    return np.concatenate([d.qpos[:, 2:], d.qvel], axis=1)


def _draw(rng: np.random.Generator, qpos: Array, qvel: Array) -> Draw:
    """Standing, joints a little off, heading along +x give or take 0.1 rad."""
    start, turn = qpos.copy(), rng.uniform(-0.1, 0.1)
    start[2] = 0.295
    start[3:7] = np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2)
    start[7:] = [STANDING[joint] for _ in LEGS for joint in JOINTS] + rng.uniform(-0.05, 0.05, len(DRIVEN))
    return Draw(start, qvel + rng.uniform(-0.05, 0.05, qvel.size))


def _constants(model: Any) -> tuple[Constant, ...]:
    standing = tuple(STANDING[joint] for _ in LEGS for joint in JOINTS)
    beside = float(abs(model.body("front_left_thigh").pos[1]) * 0.0)
    return (
        Constant("joint_standing", standing, "the driven joints when it stands, in the order of action", "rad"),
        Constant("hip_to_foot", beside, "how far a foot stands further in than its hip joint", "m"),
    )

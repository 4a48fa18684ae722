"""How a quadruped of twelve joints is held up: its servos, how it starts, and what a policy sees of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.names import Robot
from reward_agent.envs.mujoco.native import Data, Draw, Native
from reward_agent.envs.quadruped.names import DRIVEN, LEGS
from reward_agent.schema import Array, Constant

TIMESTEP = 0.005
"""Seconds of one physics step."""


@dataclass(frozen=True)
class Stance:
    """The pose that an action of 0 holds, and the servos that hold it. Joints are in the order of `names.DRIVEN`."""

    angles: tuple[float, ...]
    """Of the joints, rad."""
    reach: tuple[float, ...]
    """How far from there an action of 1 or -1 turns each servo's target, rad; joints stop at their limits."""
    stiffness: float
    """Of the servos, N m a rad."""
    damping: float
    """Of the servos, N m a rad/s."""
    start: float
    """Height of the torso as an episode begins, m."""
    addresses: tuple[int, ...] = tuple(range(7, 7 + len(DRIVEN)))
    """Where in `qpos` each joint is."""


def machine(name: str, spec: Callable[[], Any], stance: Stance, robot: Robot) -> Machine:
    """A quadruped whose parts have the names of `names`, with servos as `add_servos` makes them."""
    return Machine(
        name=name,
        spec=spec,
        native=Native(
            timestep=TIMESTEP, frame_skip=4, horizon=200, observe=_observe, draw=partial(_draw, stance=stance)
        ),
        robot=robot,
        servos="a servo, whose target an action of 1 or -1 moves furthest from where it stands",
        constants=partial(_constants, stance),
    )


def add_servos(spec: Any, stance: Stance) -> None:
    """A servo for each joint: its force is affine in the action, in -1 to 1, and in angle and rate."""
    import mujoco

    for joint, angle, reach in zip(DRIVEN, stance.angles, stance.reach, strict=True):
        spec.add_actuator(
            name=joint,
            target=joint,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            dyntype=mujoco.mjtDyn.mjDYN_NONE,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED,
            biastype=mujoco.mjtBias.mjBIAS_AFFINE,
            gear=[1.0, *[0.0] * 5],
            gainprm=[stance.stiffness * reach, *[0.0] * 9],
            biasprm=[stance.stiffness * angle, -stance.stiffness, -stance.damping, *[0.0] * 7],
            ctrllimited=True,
            ctrlrange=[-1.0, 1.0],
            forcelimited=False,
        )


def _observe(d: Data) -> Array:
    """Height, orientation, joints; velocities. Where it is in the plane is left out."""
    return np.concatenate([d.qpos[:, 2:], d.qvel], axis=1)


def _draw(rng: np.random.Generator, qpos: Array, qvel: Array, *, stance: Stance) -> Draw:
    """Standing, joints a little off, heading along +x give or take 0.1 rad."""
    start, turn = qpos.copy(), rng.uniform(-0.1, 0.1)
    start[2] = stance.start
    start[3:7] = np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2)
    start[list(stance.addresses)] = stance.angles + rng.uniform(-0.05, 0.05, len(DRIVEN))
    return Draw(start, qvel + rng.uniform(-0.05, 0.05, qvel.size))


def posed(model: Any, stance: Stance) -> Any:
    """Kinematics (`mujoco.MjData`) of a model in its stance, level, the torso where the model has it."""
    import mujoco

    data = mujoco.MjData(model)
    data.qpos[list(stance.addresses)] = stance.angles
    mujoco.mj_kinematics(model, data)
    return data


def _constants(stance: Stance, model: Any) -> tuple[Constant, ...]:
    data = posed(model, stance)
    inward = [
        (data.joint(f"{leg}_hip").xanchor[1] - data.geom(f"{leg}_foot").xpos[1]) * (1 if "left" in leg else -1)
        for leg in LEGS
    ]
    beside = round(float(np.mean(inward)), 4) + 0.0  # of a zero below zero nobody should be told
    return (
        Constant("joint_standing", stance.angles, "the driven joints when it stands, in the order of action", "rad"),
        Constant("hip_to_foot", beside, "how far a foot stands further in than its hip joint", "m"),
    )

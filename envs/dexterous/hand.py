"""The Adroit hand on its arm, made from the model of gymnasium-robotics, with servos that take targets in -1 to 1.

Its shapes, masses and joints are Vikash Kumar's (Apache License 2.0, `adroit_relocate.xml`). What is ours: the arm
turns about the point in the palm where things are held, so that turning the hand does not move it; the arm reaches
from the table to 0.68 m above it; knuckles bend back a little and the last joints less far, so that the middle of all
ranges is an open hand; the hand's own weight is carried; tendons and contacts of the hand with itself are left out.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_agent.errors import MissingComponentError

GRASP = (0.0, -0.05, 0.33)
"""World coordinates (m) of the palm's point `S_grasp` where all arm joints are 0; the fingers then point to +y."""
_GRASP_IN_FOREARM = (0.007, -0.05, 0.5)
_FINGERS_AHEAD_PALM_DOWN = (0.0, 0.0, 0.5**0.5, 0.5**0.5)
_FOREARM = (GRASP[0] + 0.007, GRASP[1] - 0.5, GRASP[2] + 0.05)

SITES = ("S_grasp", "S_fftip", "S_mftip", "S_rftip", "S_lftip", "S_thtip")
"""Points of the hand: where it holds things, and 5 mm inside the ends of fingers and thumb."""

SKIN = (1.0, 0.02, 0.0001)
"""Friction of the hand: sliding, and about the normal (m)."""

HAND, THING = 1, 2
"""Bits of collision: hands collide with things and furniture, things with each other and furniture too."""

STOP = (0.01, 1.0)
"""Time constant (s) and damping ratio of a joint's end."""
_FINGER_ARMATURE = 0.003  # kg m²; with Adroit's 0.001 fingers under a table's push are too quick for steps of 5 ms


@dataclass(frozen=True)
class Servo:
    """One joint and what holds it at its target: `stiffness * (target - q) - damping * rate`, within `limit`."""

    joint: str
    low: float
    high: float
    """Limits of the joint, m or rad; an action of -1 and of 1."""
    stiffness: float
    damping: float
    limit: float
    """N or N m."""


def _fingers() -> tuple[Servo, ...]:
    spread, knuckle, middle, last = (-0.436, 0.436), (-0.3, 1.4), (0.0, 1.3), (0.0, 1.1)
    servos = []
    for finger in ("FF", "MF", "RF", "LF"):
        if finger == "LF":
            servos.append(Servo("LFJ4", 0.0, 0.698, 2.0, 0.08, 1.5))
        for number, (low, high) in zip((3, 2, 1, 0), (spread, knuckle, middle, last), strict=True):
            servos.append(Servo(f"{finger}J{number}", low, high, 2.0, 0.08, 1.5))
    return tuple(servos)


_THUMB = {
    "THJ4": (-1.047, 1.047),
    "THJ3": (0.0, 1.309),
    "THJ2": (-0.262, 0.262),
    "THJ1": (-0.524, 0.524),
    "THJ0": (-1.571, 0.0),
}

SERVOS: tuple[Servo, ...] = (
    Servo("ARTx", -0.25, 0.25, 2500.0, 400.0, 120.0),
    Servo("ARTy", -0.35, 0.35, 2500.0, 400.0, 120.0),
    Servo("ARTz", -0.25, 0.25, 2500.0, 400.0, 120.0),
    Servo("ARRx", -0.6, 1.2, 100.0, 16.0, 30.0),
    Servo("ARRy", -2.8, 2.8, 100.0, 16.0, 30.0),
    Servo("ARRz", -1.571, 1.571, 50.0, 6.0, 15.0),
    Servo("WRJ1", -0.524, 0.175, 30.0, 1.3, 10.0),
    Servo("WRJ0", -0.785, 0.611, 30.0, 1.3, 10.0),
    *_fingers(),
    *(Servo(joint, low, high, 2.0, 0.08, 1.5) for joint, (low, high) in _THUMB.items()),
)
"""Arm, wrist, fingers, thumb: the order of action."""


def spec() -> Any:
    """A fresh `mujoco.MjSpec` with the hand and nothing else in the world.

    Raises:
        MissingComponentError: gymnasium-robotics, whose files it is made of, is not installed.
    """
    import mujoco

    lacking = missing()
    if lacking:
        raise MissingComponentError(f"The dexterous world cannot run: {lacking}")
    model = mujoco.MjSpec.from_file(str(_assets() / "adroit_relocate.xml"))
    for elements in (model.sensors, model.tendons, model.pairs, model.actuators, model.cameras):
        for element in [*elements]:
            model.delete(element)
    for site in [*model.sites]:
        if site.name not in SITES:
            model.delete(site)
    model.delete(model.geom("ground"))
    for name in ("table", "vive_tracker", "Object"):
        model.delete(model.body(name))
    for body in model.bodies[1:]:
        body.gravcomp = 1.0
    for geom in model.geoms:
        _set_collision(geom)
    forearm = model.body("forearm")
    forearm.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT  # the file's angles would go before
    forearm.pos, forearm.quat = _FOREARM, _FINGERS_AHEAD_PALM_DOWN
    for servo in SERVOS:
        _drive(mujoco, model, servo)
    return model


def missing() -> str | None:
    """What this machine lacks and the command that installs it; None when the hand can be made."""
    if importlib.util.find_spec("gymnasium_robotics") is None:
        return "gymnasium-robotics, whose hand it uses, not installed: pip install 'reward-agent[robotics]'"
    return None


def _assets() -> Path:
    """Where gymnasium-robotics has the hand; the package itself is not imported, which takes a second."""
    found = importlib.util.find_spec("gymnasium_robotics")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "envs" / "assets" / "adroit_hand"


def _set_collision(geom: Any) -> None:
    """The simple shapes `C_…` collide; meshes are to be looked at."""
    collides = geom.name.startswith("C_")
    geom.contype, geom.conaffinity = (HAND, 0) if collides else (0, 0)
    if collides:
        geom.condim, geom.friction = 4, SKIN


def _drive(mujoco: Any, model: Any, servo: Servo) -> None:
    """Limit a joint, and add its servo: its force is affine in the action, in -1 to 1, and in position and rate."""
    joint = model.joint(servo.joint)
    joint.range, joint.margin, joint.frictionloss = (servo.low, servo.high), 0.0, 0.0
    joint.solref_limit = STOP
    if servo.joint.startswith("AR"):
        joint.damping = [0.0, 0.0, 0.0]
    elif not servo.joint.startswith("WR"):
        joint.armature = _FINGER_ARMATURE
    if servo.joint.startswith("ARR"):
        joint.pos = _GRASP_IN_FOREARM
    middle, half = (servo.low + servo.high) / 2, (servo.high - servo.low) / 2
    model.add_actuator(
        name=servo.joint,
        target=servo.joint,
        trntype=mujoco.mjtTrn.mjTRN_JOINT,
        gaintype=mujoco.mjtGain.mjGAIN_FIXED,
        biastype=mujoco.mjtBias.mjBIAS_AFFINE,
        gainprm=[servo.stiffness * half] + [0.0] * 9,
        biasprm=[servo.stiffness * middle, -servo.stiffness, -servo.damping] + [0.0] * 7,
        ctrllimited=True,
        ctrlrange=(-1.0, 1.0),
        forcelimited=True,
        forcerange=(-servo.limit, servo.limit),
    )

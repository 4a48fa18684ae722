"""Machines' models, with the sites and sensors that named quantities need. Neither changes the dynamics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.names import Part

_HIDDEN_GROUP = 5  # of sites: MuJoCo draws groups 0 to 2


@dataclass(frozen=True)
class Reading:
    """A quantity that MuJoCo computes itself, as a sensor of a sub-step's start."""

    sensor: Literal["framelinvel", "frameangvel", "contact", "subtreelinvel"]
    kind: Literal["xbody", "body", "site", "geom"]
    """What `name` is. `xbody` is a body's own frame, `body` its inertial one (and, for a contact, its shapes)."""
    name: str


def site_name(part: Part) -> str:
    """The site that marks where `part` is; empty where it is its body's origin."""
    return part.site or (f"part:{part.name}" if part.geom else "")


@cache
def base_model(machine: Machine) -> Any:
    """The machine's `mujoco.MjModel` with our sites and no sensors. Shared: never write to it."""
    return build_model(machine)


def build_model(machine: Machine, readings: Iterable[Reading] = ()) -> Any:
    """A fresh `mujoco.MjModel` with our sites and one sensor for each reading, in that order."""
    import mujoco

    spec = machine.spec()
    plain = spec.compile()
    for part in machine.robot.parts:
        if part.geom:
            spec.geom(part.geom).parent.add_site(
                name=site_name(part), pos=_point_of(plain, part), group=_HIDDEN_GROUP, size=[0.001] * 3
            )
    for reading in readings:
        sensor = {
            "type": getattr(mujoco.mjtSensor, f"mjSENS_{reading.sensor.upper()}"),
            "objtype": getattr(mujoco.mjtObj, f"mjOBJ_{reading.kind.upper()}"),
            "objname": reading.name,
        }
        if reading.sensor == "contact":
            # one slot that tells how many contacts with the floor there are, none of their details
            sensor |= {"reftype": mujoco.mjtObj.mjOBJ_GEOM, "refname": machine.robot.floor}
            sensor["intprm"] = [1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND), 0, 1]
        spec.add_sensor(**sensor)
    return spec.compile()


def _point_of(model: Any, part: Part) -> list[float]:
    """Where a part of one shape is, in its body's frame."""
    geom = model.geom(part.geom)
    if part.at == "centre":
        return [float(x) for x in geom.pos]
    import mujoco

    axis = np.zeros(3)
    mujoco.mju_rotVecQuat(axis, np.array([0.0, 0.0, geom.size[1]]), geom.quat)
    end = max(geom.pos + axis, geom.pos - axis, key=np.linalg.norm)
    return [float(x) for x in end]

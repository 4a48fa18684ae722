"""Reads quantities of a MuJoCo model. `export` copies this text: it uses nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np

MOTION, CONTACT = ("velocity", "spin"), ("contact", "actuator_force")
"""What needs velocities of bodies, and what needs contacts and forces, to be brought up to date."""


def other_data(model: Any) -> Any:
    """Data beside the simulation's own."""
    return mujoco.MjData(model)


def read_model(model: Any, live: Any, data: Any, table: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Values by path at this very instant.

    An environment keeps kinematics as its last physics step left them, which is that sub-step's start. Here they are
    brought up to date with the positions and velocities of now, in other data: what is simulated is never touched.

    Args:
        model: `mujoco.MjModel`.
        live: the simulation's `mujoco.MjData`; only read.
        data: other data of the model.
        table: how and where each quantity is read.
    """
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    state = np.empty(mujoco.mj_stateSize(model, kind))
    mujoco.mj_getState(model, live, state, kind)
    mujoco.mj_setState(model, data, state, kind)
    needed = {how for how, _ in table.values()}
    if needed.intersection(CONTACT):
        mujoco.mj_forward(model, data)
    else:
        mujoco.mj_kinematics(model, data)
        if needed.intersection(MOTION):
            mujoco.mj_comPos(model, data)
            mujoco.mj_comVel(model, data)
    return {path: read_quantity(model, data, how, where) for path, (how, where) in table.items()}


def read_quantity(model: Any, data: Any, how: str, where: Any) -> Any:
    """One value, out of data that is up to date."""
    if how == "contact":
        return any(one in where or other in where for one, other in data.contact.geom.tolist())
    if how not in MOTION:
        return np.array(getattr(data, how)[where])
    kind, number = where
    motion = np.empty(6)  # angular, then linear, in the world's axes
    mujoco.mj_objectVelocity(model, data, getattr(mujoco.mjtObj, kind), number, motion, 0)
    return motion[:3] if how == "spin" else motion[3:]

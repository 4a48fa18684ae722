"""What prompts say of a quadruped's build, told from its model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.model import base_model
from reward_agent.envs.quadruped.anatomy import outline
from reward_agent.envs.quadruped.names import LEGS


@dataclass(frozen=True)
class Words:
    """Of one robot."""

    robot: str
    """What it is and how its frame lies."""
    height: float
    """Of its torso's middle when it stands, m, rounded to centimetres."""


@cache
def words(machine: Machine) -> Words:
    """Sizes to centimetres, as a person would give them."""
    import mujoco

    model = base_model(machine)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    torso = data.body("torso").xpos
    low, high = _trunk(model, data)
    anchors = {joint: data.joint(joint).xanchor for leg in LEGS for joint in (f"{leg}_hip", f"{leg}_knee")}
    upper = float(np.linalg.norm(anchors["front_left_knee"] - anchors["front_left_hip"]))
    lower = float(np.linalg.norm(data.geom("front_left_foot").xpos - anchors["front_left_knee"]))
    ahead, behind = (abs(float(anchors[f"{end}_left_hip"][0] - torso[0])) for end in ("front", "back"))
    height = round(float(torso[2]), 2)
    mass = float(model.body("torso").subtreemass[0])
    robot = (
        f"a quadruped of {mass:.0f} kg: a trunk {round(high[0] - low[0], 1):g} m long and {_cm(high[1] - low[1])} m "
        f"wide on four legs of two links, {_links(upper, lower)}, with three joints a leg. It stands with its torso's "
        f"middle {height:g} m high; with folded legs its belly lies on the floor at {_cm(torso[2] - low[2])} m; the "
        f"hip joints are {_hips(ahead, behind)} the middle. It faces along +x at first, which is north; +y, at its "
        "left, is west; +z is up"
    )
    return Words(robot, height)


def _trunk(model: Any, data: Any) -> tuple[Any, Any]:
    """The two corners, m, of what collides of the torso, or of all of it where nothing does."""
    own = np.flatnonzero(model.geom_bodyid == model.body("torso").id)
    solid = [geom for geom in own if model.geom_contype[geom] or model.geom_conaffinity[geom]]
    points = np.concatenate([outline(model, data, int(geom)) for geom in solid or own])
    return points.min(axis=0), points.max(axis=0)


def _cm(length: float) -> str:
    """Metres in whole centimetres; halves are rounded up."""
    return f"{np.floor(float(length) * 100 + 0.5 + 1e-6) / 100:g}"


def _links(upper: float, lower: float) -> str:
    one, other = _cm(upper), _cm(lower)
    return f"{one} m each" if one == other else f"{one} and {other} m"


def _hips(ahead: float, behind: float) -> str:
    one, other = _cm(ahead), _cm(behind)
    return f"{one} m ahead of and behind" if one == other else f"{one} m ahead of and {other} m behind"

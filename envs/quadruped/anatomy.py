"""Where the legs of a quadruped of somebody else's are: found by how its model is built, not by what it calls them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from reward_agent.envs.quadruped.names import LEGS
from reward_agent.errors import UsageError
from reward_agent.schema import Array


@dataclass(frozen=True)
class Sphere:
    """A round foot for a leg that ends in none."""

    place: tuple[float, float, float]
    """In the frame of the lower leg, m."""
    radius: float


@dataclass(frozen=True)
class Leg:
    """One leg; numbers are the compiled model's, lists go from the torso outward."""

    bodies: tuple[int, int, int]
    joints: tuple[int, int, int]
    """Abduction, hip and knee."""
    home: tuple[float, float, float]
    """Their angles as the robot stands, rad."""
    foot: int
    """The shape that it stands on."""
    sphere: Sphere | None
    """In place of that shape, where that is none."""


@dataclass(frozen=True)
class Anatomy:
    """What there is to know of a model before it is given our names."""

    torso: int
    legs: tuple[Leg, ...]
    """In the order of `names.LEGS`."""
    mass: float
    """kg."""
    height: float
    """Of the torso's origin above the lowest foot in the home pose, m."""


Home = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Abduction, hip and knee of the front and of the back legs, rad."""


def anatomy(model: Any, name: str, home: Home | None = None) -> Anatomy:
    """Torso, legs and feet of a model.

    Args:
        model: a `mujoco.MjModel`, as it comes.
        name: for messages.
        home: how it stands where the model has no key frame.

    Raises:
        UsageError: it is no free body with four legs of three hinges, or nothing says how it stands.
    """
    import mujoco

    torso, chains = _chains(model, name)
    data = mujoco.MjData(model)
    data.qpos[:7] = 0, 0, 0, 1, 0, 0, 0
    mujoco.mj_kinematics(model, data)
    joints = _by_place(data, chains, name)
    angles = _home(model, joints, home, name)
    for leg, chain in joints.items():
        data.qpos[model.jnt_qposadr[list(chain)]] = angles[leg]
    mujoco.mj_kinematics(model, data)
    legs = []
    lowest = np.inf
    for leg in LEGS:
        shoulder, thigh, calf = (int(model.jnt_bodyid[joint]) for joint in joints[leg])
        foot, under, sphere = _foot(model, data, calf, name)
        lowest = min(lowest, under)
        legs.append(Leg((shoulder, thigh, calf), joints[leg], angles[leg], foot, sphere))
    return Anatomy(torso, tuple(legs), float(model.body_subtreemass[torso]), -float(lowest))


def _chains(model: Any, name: str) -> tuple[int, list[tuple[int, int, int]]]:
    """The torso, and the joints of each leg from there outward."""
    import mujoco

    free = np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE)
    hinges = np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE)
    branches: dict[int, list[int]] = {}
    torso = int(model.jnt_bodyid[free[0]]) if len(free) else 0
    for joint in hinges:
        above = [*_upwards(model, int(model.jnt_bodyid[joint]), torso)]
        branches.setdefault(above[-1] if above else 0, []).append(int(joint))
    chained = all(
        len(branch) == 3
        and all(
            model.jnt_bodyid[inner] in [*_upwards(model, int(model.jnt_bodyid[outer]), torso)][1:]
            for inner, outer in pairwise(branch)
        )
        for branch in branches.values()
    )
    if len(free) != 1 or model.njnt != 13 or len(branches) != 4 or not chained or model.jnt_qposadr[free[0]]:
        found = ", ".join(str(len(branch)) for branch in branches.values()) or "none"
        raise UsageError(
            f"{name} is no robot for this world, which needs a free body with four legs of three hinges one after the "
            f"other and nothing else that moves; the model has {len(free)} free bodies, {model.njnt - len(free)} other "
            f"joints, and on the body chains of hinges of these lengths: {found}. Use the model as it is in "
            "MuJoCo Menagerie."
        )
    return torso, [(a, b, c) for a, b, c in branches.values()]


def _upwards(model: Any, body: int, torso: int) -> Iterator[int]:
    """The body and what carries it, up to what the torso carries; nothing where the torso does not."""
    chain = []
    while body and body != torso:
        chain.append(body)
        body = int(model.body_parentid[body])
    yield from chain if body == torso and torso else ()


def _by_place(data: Any, chains: list[tuple[int, int, int]], name: str) -> dict[str, tuple[int, int, int]]:
    """The chains by leg: front is ahead (+x) of the middle of the four hips, left is to its left (+y)."""
    hips = np.array([data.xanchor[chain[1]] for chain in chains])
    ahead, left = (hips[:, :2] > hips[:, :2].mean(axis=0)).T
    found = {
        f"{'front' if a else 'back'}_{'left' if b else 'right'}": chain
        for a, b, chain in zip(ahead, left, chains, strict=True)
    }
    if len(found) < len(LEGS):
        raise UsageError(
            f"{name} has hips at (x, y) {np.round(hips[:, :2], 2).tolist()}, which are not front and back, left and "
            "right of each other; this world names legs by that. Use the model as it is in MuJoCo Menagerie."
        )
    return found


def _home(
    model: Any, joints: dict[str, tuple[int, int, int]], home: Home | None, name: str
) -> dict[str, tuple[float, float, float]]:
    """Angles of each leg: of the key frame `home`, else of the first one, else as given."""
    keys = [model.key(number) for number in range(model.nkey)]
    key = next((key for key in keys if key.name == "home"), keys[0] if keys else None)
    if key is None and home is None:
        raise UsageError(
            f"The model of {name} has no key frame, so nothing says how it stands. Give it one named `home` in its "
            "file or in `scene.xml` beside it, as MuJoCo Menagerie does."
        )
    found = {}
    for leg, chain in joints.items():
        if key is not None:
            abduction, hip, knee = (float(key.qpos[model.jnt_qposadr[joint]]) for joint in chain)
            found[leg] = abduction, hip, knee
        elif home is not None:
            found[leg] = home["back" in leg]
    return found


def _foot(model: Any, data: Any, calf: int, name: str) -> tuple[int, float, Sphere | None]:
    """The shape that the leg stands on, the height of its underside, and a sphere where it is none."""
    import mujoco

    shapes = [
        geom
        for geom in range(model.ngeom)
        if calf in (body := int(model.geom_bodyid[geom]), *_carriers(model, body))
        and (model.geom_contype[geom] or model.geom_conaffinity[geom])
    ]
    if not shapes:
        raise UsageError(f"A leg of {name} has no shape below its knee that collides, so there is no foot to stand on.")
    spheres = [geom for geom in shapes if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_SPHERE]
    foot, place = min(((geom, lowest_point(model, data, geom)) for geom in spheres or shapes), key=lambda p: p[1][2])
    if spheres:
        return foot, float(place[2]), None
    radius, body = float(model.geom_aabb[foot, 3:].min()), int(model.geom_bodyid[foot])
    local = data.xmat[body].reshape(3, 3).T @ (place - data.xpos[body] + np.array([0.0, 0.0, radius]))
    x, y, z = (float(value) for value in local)
    return foot, float(place[2]), Sphere((x, y, z), radius)


def _carriers(model: Any, body: int) -> Iterator[int]:
    while body:
        body = int(model.body_parentid[body])
        yield body


def lowest_point(model: Any, data: Any, geom: int) -> Array:
    """The lowest point `(3,)` of a shape as it stands, m: of a sphere and a mesh exactly, else of the box around it."""
    points = outline(model, data, geom)
    point: Array = points[points[:, 2].argmin()]
    return point


def outline(model: Any, data: Any, geom: int) -> Array:
    """Points `(P, 3)` in the world between which a shape lies: a mesh's corners, a sphere's six ends, else a box's."""
    import mujoco

    middle, half = model.geom_aabb[geom, :3], model.geom_aabb[geom, 3:]
    turn = data.geom_xmat[geom].reshape(3, 3)
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_SPHERE:
        ends = np.concatenate([np.eye(3), -np.eye(3)]) * model.geom_size[geom, 0]
        return np.asarray(data.geom_xpos[geom] + ends)
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.geom_dataid[geom]
        first = model.mesh_vertadr[mesh]
        corners = model.mesh_vert[first : first + model.mesh_vertnum[mesh]]
    else:
        corners = middle + half * np.stack(np.meshgrid(*[(-1.0, 1.0)] * 3), axis=-1).reshape(-1, 3)
    return np.asarray(data.geom_xpos[geom] + corners @ turn.T)

"""The state of any environment that holds a MuJoCo model: its bodies, sites, joints and actuators by their own names.

An environment reads kinematics as its last physics step left them, which is that sub-step's start. Here they are
brought up to date with the positions and velocities of the instant, on other data: what is simulated is never touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reward_agent.envs.gymnasium.making import Env
from reward_agent.envs.gymnasium.state import OBSERVATION, Docs, Read, attribute
from reward_agent.schema import Entity, Field

Get = Callable[[Any], Any]
"""A value out of `mujoco.MjData` that is up to date."""

POSITIONS, VELOCITIES, FORCES = range(3)
"""How much must be brought up to date."""

TAKEN = {"episode", "start", "command", "joints", "sites", "actuators", OBSERVATION}


class Quantity(NamedTuple):
    """A field and how it is read."""

    field: Field
    needs: int
    get: Get


def holds_model(env: Env) -> bool:
    """Whether there is a MuJoCo model and its data where Gymnasium's environments have them."""
    inner = env.unwrapped
    kinds = [type(getattr(inner, name, None)) for name in ("model", "data")]
    return [(kind.__module__.partition(".")[0], kind.__name__) for kind in kinds] == [
        ("mujoco", "MjModel"),
        ("mujoco", "MjData"),
    ]


@dataclass(frozen=True)
class FromModel:
    """Fields derived from the model.

    Args:
        bodies, sites, joints: names of ours for the model's, of all that are to be fields; all of the model's own under
            names that Python allows unless given.
    """

    bodies: Mapping[str, str] | None = None
    sites: Mapping[str, str] | None = None
    joints: Mapping[str, str] | None = None

    def describe(self, env: Env) -> Docs:
        docs: dict[str, Field | Entity] = {}
        for entity, quantities in self._derive(env.unwrapped):
            docs[entity.name] = entity
            docs |= {quantity.field.path: quantity.field for quantity in quantities}
        return docs

    def bind(self, env: Env, paths: Collection[str] | None) -> Read:
        return Reader(env.unwrapped, self, paths)

    def quantities(self, inner: Any, paths: Collection[str] | None) -> list[Quantity]:
        """How each of these fields is read."""
        found = [quantity for _, quantities in self._derive(inner) for quantity in quantities]
        return [quantity for quantity in found if paths is None or quantity.field.path in paths]

    def _derive(self, inner: Any) -> Iterator[tuple[Entity, list[Quantity]]]:
        model = inner.model
        names = {what: _names(model, what) for what in ("body", "site", "joint", "actuator")}
        for number, name in _chosen(names["body"], self.bodies, "body", {0}, TAKEN).items():
            yield _body(model, number, name)
        for number, name in _chosen(names["site"], self.sites, "", (), ()).items():
            yield _site(model, number, f"sites.{name}")
        simple = [joint for joint in names["joint"] if _is_simple(model, joint)]
        of_joints = {joint: names["joint"][joint] for joint in simple}
        joints = _chosen(of_joints, self.joints, "joint", (), {"positions", "velocities"})
        for number, name in joints.items():
            yield _joint(model, number, f"joints.{name}")
        if joints:
            yield _together(model, list(joints))
        if model.nu:
            yield _actuators(model, [name or f"motor_{number}" for number, name in names["actuator"].items()])


class Reader:
    """Reads fields of one environment; see `state.Read`."""

    def __init__(self, inner: Any, source: FromModel, paths: Collection[str] | None) -> None:
        self._inner, self._source, self._paths = inner, source, paths
        self._model: Any = None

    def __call__(self, observation: Any) -> Mapping[str, Any]:
        import mujoco

        model, live = self._inner.model, self._inner.data
        if model is not self._model:  # some environments build another at reset
            self._model, self._data = model, mujoco.MjData(model)
            self._quantities = self._source.quantities(self._inner, self._paths)
            self._needs = max((quantity.needs for quantity in self._quantities), default=POSITIONS)
            self._size = mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_INTEGRATION)
            self._state = np.empty(self._size)
        if not self._quantities:
            return {}
        mujoco.mj_getState(model, live, self._state, mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_setState(model, self._data, self._state, mujoco.mjtState.mjSTATE_INTEGRATION)
        if self._needs == FORCES:
            mujoco.mj_forward(model, self._data)
        else:
            mujoco.mj_kinematics(model, self._data)
            if self._needs == VELOCITIES:
                mujoco.mj_comPos(model, self._data)
                mujoco.mj_comVel(model, self._data)
        return {quantity.field.path: quantity.get(self._data) for quantity in self._quantities}


def _names(model: Any, what: str) -> dict[int, str]:
    """The model's own names by number; '' where it gave none."""
    import mujoco

    count = {"body": model.nbody, "site": model.nsite, "joint": model.njnt, "actuator": model.nu}[what]
    kind = getattr(mujoco.mjtObj, f"mjOBJ_{what.upper()}")
    return {number: mujoco.mj_id2name(model, kind, number) or "" for number in range(count)}


def _chosen(
    names: Mapping[int, str],
    wanted: Mapping[str, str] | None,
    unnamed: str,
    skip: Collection[int],
    taken: Collection[str],
) -> dict[int, str]:
    """Ours by number. What has no name is called by its number, or left out where `unnamed` is ''."""
    if wanted is not None:
        numbers = {name: number for number, name in names.items()}
        return {numbers[theirs]: ours for theirs, ours in wanted.items()}
    found: dict[int, str] = {}
    # a prefix as `robot0:` tells nothing as long as the rest is enough
    short = {number: attribute(re.split("[:/]", name)[-1]) for number, name in names.items() if name}
    often = Counter(short.values())
    for number, name in names.items():
        if number in skip or not (name or unnamed):
            continue
        ours = f"{unnamed}_{number}" if not name else short[number] if often[short[number]] == 1 else attribute(name)
        found[number] = f"{ours}_{number}" if ours in taken or ours in found.values() else ours
    return found


def _body(model: Any, number: int, name: str) -> tuple[Entity, list[Quantity]]:
    import mujoco

    moves, path = model.body_weldid[number] != 0, name + "."
    quantities = [
        Quantity(
            Field(path + "position", "where its origin is", "m", (3,)), POSITIONS, lambda data: data.xpos[number].copy()
        ),
        Quantity(
            Field(path + "orientation", "quaternion wxyz, from its own frame to the world's", "", (4,)),
            POSITIONS,
            lambda data: data.xquat[number].copy(),
        ),
    ]
    if not moves:
        where = "placed by the environment" if model.body_mocapid[number] >= 0 else "it does not move in an episode"
        return Entity(name, "Fixture", f"{_said(name)}; {where}"), quantities
    motion = _motion(model, mujoco.mjtObj.mjOBJ_XBODY, number)
    quantities += [
        Quantity(
            Field(path + "linear_velocity", "velocity of its origin", "m/s", (3,)),
            VELOCITIES,
            lambda data: motion(data)[3:],
        ),
        Quantity(
            Field(path + "angular_velocity", "angular velocity, in the world's axes", "rad/s", (3,)),
            VELOCITIES,
            lambda data: motion(data)[:3],
        ),
    ]
    shapes = np.flatnonzero(model.geom_bodyid == number)
    collides = bool((model.geom_contype[shapes] | model.geom_conaffinity[shapes]).any())
    if not collides:
        return Entity(name, "Part", f"{_said(name)}; it touches nothing"), quantities
    contact = Field(path + "contact", "it touches something", kind="bool")
    return Entity(name, "Body", _said(name)), [*quantities, Quantity(contact, FORCES, _touching(shapes))]


def _site(model: Any, number: int, path: str) -> tuple[Entity, list[Quantity]]:
    import mujoco

    body = int(model.site_bodyid[number])
    place = Field(path + ".position", "where it is", "m", (3,))
    quantities = [Quantity(place, POSITIONS, lambda data: data.site_xpos[number].copy())]
    of = f"a point of {model.body(body).name or f'body_{body}'}"
    if model.body_weldid[body] == 0:
        return Entity(path, "Mark", f"{of}, which does not move in an episode"), quantities
    motion = _motion(model, mujoco.mjtObj.mjOBJ_SITE, number)
    speed = Field(path + ".linear_velocity", "its velocity", "m/s", (3,))
    return Entity(path, "Site", of), [*quantities, Quantity(speed, VELOCITIES, lambda data: motion(data)[3:])]


def _joint(model: Any, number: int, path: str) -> tuple[Entity, list[Quantity]]:
    slides, position, velocity = _slides(model, number), int(model.jnt_qposadr[number]), int(model.jnt_dofadr[number])
    axis = ", ".join(f"{value:.3g}" for value in model.jnt_axis[number])
    doc = f"{'along' if slides else 'about'} ({axis}) of its body's frame"
    if model.jnt_limited[number]:
        low, high = model.jnt_range[number]
        doc += f", from {low:.3g} to {high:.3g} {'m' if slides else 'rad'}"
    if slides:
        place = Field(path + ".position", "how far it is along its axis", "m")
        speed = Field(path + ".velocity", "velocity along its axis", "m/s")
    else:
        place = Field(path + ".angle", "angle by the right-hand rule, unwrapped", "rad")
        speed = Field(path + ".velocity", "rate of that angle", "rad/s")
    return Entity(path, "Slide" if slides else "Hinge", doc), [
        Quantity(place, POSITIONS, lambda data: data.qpos[position]),
        Quantity(speed, POSITIONS, lambda data: data.qvel[velocity]),
    ]


def _together(model: Any, joints: list[int]) -> tuple[Entity, list[Quantity]]:
    positions, velocities = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
    where = Field("joints.positions", "angles [rad] of hinges and positions [m] of slides", "", (len(joints),))
    rates = Field("joints.velocities", "their rates [rad/s or m/s]", "", (len(joints),))
    return Entity("joints", "Joints", "these joints together, in the order they are listed"), [
        Quantity(where, POSITIONS, lambda data: data.qpos[positions]),
        Quantity(rates, POSITIONS, lambda data: data.qvel[velocities]),
    ]


def _actuators(model: Any, names: list[str]) -> tuple[Entity, list[Quantity]]:
    doc = "what each gives at this instant: N, or N m of a hinge"
    force = Field("actuators.force", doc, "", (int(model.nu),))
    entity = Entity("actuators", "Actuators", f"in this order: {', '.join(names)}")
    return entity, [Quantity(force, FORCES, lambda data: data.actuator_force.copy())]


def _motion(model: Any, kind: Any, number: int) -> Callable[[Any], np.ndarray[Any, Any]]:
    """Angular and linear velocity, in the world's axes."""
    import mujoco

    def motion(data: Any) -> np.ndarray[Any, Any]:
        found = np.empty(6)
        mujoco.mj_objectVelocity(model, data, kind, number, found, 0)
        return found

    return motion


def _touching(shapes: np.ndarray[Any, Any]) -> Get:
    known = frozenset(shapes.tolist())
    return lambda data: any(one in known or other in known for one, other in data.contact.geom.tolist())


def _slides(model: Any, joint: int) -> bool:
    import mujoco

    return bool(model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE)


def _is_simple(model: Any, joint: int) -> bool:
    import mujoco

    return bool(model.jnt_type[joint] in (mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE))


def _said(name: str) -> str:
    return name.replace("_", " ")

"""The state of an environment that holds a MuJoCo model: its bodies, sites, joints and actuators by its own names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reward_agent.envs import fields
from reward_agent.envs.gymnasium.making import Env
from reward_agent.envs.gymnasium.state import OBSERVATION, Docs, Read, attribute
from reward_agent.envs.mujoco_model import joint_doc, joint_kind, slides
from reward_agent.schema import Entity, Field

TAKEN = {"episode", "start", "command", "joints", "sites", "actuators", OBSERVATION}
"""What no body can be called."""


class Quantity(NamedTuple):
    """A field and how it is read (`mujoco_reading.read_quantity`)."""

    field: Field
    how: str
    where: Any


def holds_model(env: Env) -> bool:
    """Whether there is a MuJoCo model and its data where Gymnasium's environments have them."""
    kinds = [type(getattr(env.unwrapped, name, None)) for name in ("model", "data")]
    names = [f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in kinds]
    return names == ["mujoco.MjModel", "mujoco.MjData"]


@dataclass(frozen=True)
class FromModel:
    """Fields derived from the model.

    Args:
        bodies, sites, joints: names of ours for the model's, of all that are to be fields; all of the model's own,
            under names that Python allows, unless given.
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
        return _Reader(env.unwrapped, self, paths)

    def table(self, inner: Any, paths: Collection[str] | None) -> dict[str, tuple[str, Any]]:
        """How and where each of these fields is read in an environment without its wrappers."""
        found = [quantity for _, quantities in self._derive(inner) for quantity in quantities]
        return {q.field.path: (q.how, q.where) for q in found if paths is None or q.field.path in paths}

    def _derive(self, inner: Any) -> Iterator[tuple[Entity, list[Quantity]]]:
        model = inner.model
        names = {what: _names(model, what) for what in ("body", "site", "joint", "actuator")}
        for number, name in _chosen(names["body"], self.bodies, "body", {0}, TAKEN).items():
            yield _body(model, number, name)
        for number, name in _chosen(names["site"], self.sites, "", (), ()).items():
            yield _site(model, number, name if self.sites is not None else f"sites.{name}")
        simple = {joint: name for joint, name in names["joint"].items() if _has_one_axis(model, joint)}
        joints = _chosen(simple, self.joints, "joint", (), {"positions", "velocities"})
        for number, name in joints.items():
            yield _joint(model, number, f"joints.{name}")
        if joints:
            yield _together(model, list(joints))
        if model.nu:
            yield _actuators([name or f"motor_{number}" for number, name in names["actuator"].items()])


class _Reader:
    """Reads fields of one environment; see `state.Read`."""

    def __init__(self, inner: Any, source: FromModel, paths: Collection[str] | None) -> None:
        self._inner, self._source, self._paths = inner, source, paths
        self._model: Any = None

    def __call__(self, observation: Any) -> Mapping[str, Any]:
        from reward_agent.envs.gymnasium.mujoco_reading import other_data, read_model

        model = self._inner.model
        if model is not self._model:  # some environments build another at reset
            self._model, self._data = model, other_data(model)
            self._table = self._source.table(self._inner, self._paths)
        return read_model(model, self._inner.data, self._data, self._table) if self._table else {}


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
    said, motion = name.replace("_", " "), ("mjOBJ_XBODY", number)
    place = fields.position(name, "where its origin is")
    quantities = [Quantity(place, "xpos", number), Quantity(fields.orientation(name), "xquat", number)]
    if model.body_weldid[number] == 0:
        where = "placed by the environment" if model.body_mocapid[number] >= 0 else "it does not move in an episode"
        return Entity(name, "Fixture", f"{said}; {where}"), quantities
    speed = fields.linear_velocity(name, "velocity of its origin")
    quantities += [Quantity(speed, "velocity", motion), Quantity(fields.angular_velocity(name), "spin", motion)]
    shapes = np.flatnonzero(model.geom_bodyid == number)
    if not (model.geom_contype[shapes] | model.geom_conaffinity[shapes]).any():
        return Entity(name, "Part", f"{said}; it touches nothing"), quantities
    touch = Quantity(Field(f"{name}.contact", "it touches something", kind="bool"), "contact", shapes.tolist())
    return Entity(name, "Body", said), [*quantities, touch]


def _site(model: Any, number: int, name: str) -> tuple[Entity, list[Quantity]]:
    body = int(model.site_bodyid[number])
    of = f"a point of {model.body(body).name or f'body_{body}'}"
    place = Quantity(fields.position(name), "site_xpos", number)
    if model.body_weldid[body] == 0:
        return Entity(name, "Mark", f"{of}, which does not move in an episode"), [place]
    speed = fields.linear_velocity(name, "its velocity")
    return Entity(name, "Site", of), [place, Quantity(speed, "velocity", ("mjOBJ_SITE", number))]


def _joint(model: Any, number: int, path: str) -> tuple[Entity, list[Quantity]]:
    axis = ", ".join(f"{value:.3g}" for value in model.jnt_axis[number])
    doc = joint_doc(model, number, f"({axis}) of its body's frame")
    place, rate = fields.of_joint(path, slides=slides(model, number))
    return Entity(path, joint_kind(model, number), doc), [
        Quantity(place, "qpos", int(model.jnt_qposadr[number])),
        Quantity(rate, "qvel", int(model.jnt_dofadr[number])),
    ]


def _together(model: Any, joints: list[int]) -> tuple[Entity, list[Quantity]]:
    where = Field("joints.positions", "angles [rad] of hinges and positions [m] of slides", "", (len(joints),))
    rates = Field("joints.velocities", "their rates [rad/s or m/s]", "", (len(joints),))
    return Entity("joints", "Joints", "these joints together, in the order they are listed"), [
        Quantity(where, "qpos", model.jnt_qposadr[joints].tolist()),
        Quantity(rates, "qvel", model.jnt_dofadr[joints].tolist()),
    ]


def _actuators(names: list[str]) -> tuple[Entity, list[Quantity]]:
    doc = "what each gives at this instant: N, or N m of a hinge"
    force = Field("actuators.force", doc, "", (len(names),))
    entity = Entity("actuators", "Actuators", f"in this order: {', '.join(names)}")
    return entity, [Quantity(force, "actuator_force", list(range(len(names))))]


def _has_one_axis(model: Any, joint: int) -> bool:
    """It slides or turns; a ball or a free body does neither."""
    import mujoco

    return model.jnt_type[joint] in (mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE)

"""The state schema of a Meta-World environment, derived from its model, and how each field is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import mujoco
import numpy as np

from reward_agent.envs import fields
from reward_agent.envs.metaworld.names import ROBOT, SCENES, SUCCESS, Part
from reward_agent.envs.metaworld.native import Native
from reward_agent.envs.mujoco_model import axis_words, joint_doc, joint_kind, slides
from reward_agent.schema import ActionSpec, Array, Constant, Entity, Field, StateSchema

Read = Callable[[], Any]

ACTIONS = ("move the hand in x", "move the hand in y", "move the hand in z", "close (1) or open (-1) the gripper")


@dataclass(frozen=True)
class Quantity:
    """A field of the state, and what reads it from a running environment."""

    field: Field
    read: Callable[[Native], Read]
    """Looks up all that it can; what it gives is called once a state."""
    moving: bool = False
    """It wants the velocities of bodies brought up to date."""
    judged: bool = False
    """It wants `Native.judge`."""


@dataclass(frozen=True)
class Derived:
    """All that an environment gives."""

    schema: StateSchema
    quantities: dict[str, Quantity]
    """By field path."""


@cache
def derive(env: str) -> Derived:
    """The schema of `env` and the origin of each field."""
    native, scene = Native(env), SCENES[env]
    native.reset(0)
    quantities: list[Quantity] = []
    entities: list[Entity] = [
        Entity("gripper", "Gripper", "the two fingers; its position is midway between their tips")
    ]
    quantities += _of_gripper()
    for part in (*ROBOT, *scene.parts):
        entities.append(Entity(part.name, part.kind, part.doc))
        quantities += _of_part(part)
    for source, name, doc in scene.joints:
        joint = joint_of(native.model, source)
        doc = f"{doc}; {joint_doc(native.model, joint, axis_words(native.data.xaxis[joint]))}"
        entities.append(Entity(f"joints.{name}", joint_kind(native.model, joint), doc))
        quantities += _of_joint(source, f"joints.{name}", sliding=slides(native.model, joint))
    entities.append(Entity("goal", "Goal", "where the task wants it; it never moves in an episode"))
    quantities.append(Quantity(fields.position("goal"), _goal))
    entities.append(Entity("outcome", "Outcome", "what Meta-World says"))
    success = Field(SUCCESS, "its own test of success passed in this step; never at reset", kind="bool", hidden=True)
    quantities.append(Quantity(success, lambda native: native.judged, judged=True))
    schema = StateSchema(
        fields=tuple(quantity.field for quantity in quantities),
        entities=tuple(entities),
        action=ActionSpec(ACTIONS, low=(-1.0,) * 4, high=(1.0,) * 4),
        constants=(*_constants(native), *(size for part in scene.parts for size in _size(native.model, part))),
    )
    return Derived(schema, {quantity.field.path: quantity for quantity in quantities})


def joint_of(model: Any, source: str) -> int:
    """The number of the joint that goes by its own or, where it has no name, by its body's."""
    for joint in range(model.njnt):
        if source in (model.joint(joint).name, model.body(model.jnt_bodyid[joint]).name):
            return joint
    raise KeyError(source)


def body_of(model: Any, part: Part) -> int:
    """The number of the body that a part is, or belongs to."""
    if part.site:
        return int(model.site(part.site).bodyid[0])
    if part.geom:
        return int(model.geom(part.geom).bodyid[0])
    for body in range(model.nbody):
        if model.body(body).name == part.body:
            return body
    return int(model.jnt_bodyid[joint_of(model, part.body)])


def _place(part: Part) -> Callable[[Native], Read]:
    """What reads a part's position."""

    def read(native: Native) -> Read:
        model, data = native.model, native.data
        if part.observed is not None:
            positions, at = native.env._get_pos_objects, 3 * part.observed
            return lambda: positions()[at : at + 3]
        if part.site:
            view = data.site_xpos[model.site(part.site).id]
        elif part.geom:
            view = data.geom_xpos[model.geom(part.geom).id]
        else:
            view = data.xpos[body_of(model, part)]
        return lambda: view

    return read


def _motion(part: Part, *, spin: bool) -> Callable[[Native], Read]:
    """What reads the velocity of a part's position, or its angular velocity; of the body that carries it."""

    def read(native: Native) -> Read:
        model, data, body = native.model, native.data, body_of(native.model, part)
        place, origin, motion = _place(part)(native), native.data.xpos[body], np.zeros(6)

        def of_instant() -> Array:
            mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body, motion, 0)
            turning: Array = motion[:3]
            return turning if spin else motion[3:] + _cross(turning, place() - origin)

        return of_instant

    return read


def _cross(a: Array, b: Array) -> Array:
    # numpy's own takes ten times as long for three numbers
    return np.array((a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]))


def _of_part(part: Part) -> Iterator[Quantity]:
    yield Quantity(fields.position(part.name), _place(part))
    if part.kind == "Object":
        turn = fields.orientation(part.name)
        yield Quantity(turn, lambda native: _view(native.data.xquat[body_of(native.model, part)]))
    if part.kind != "Fixture":
        yield Quantity(fields.linear_velocity(part.name), _motion(part, spin=False), moving=True)
    if part.kind == "Object":
        yield Quantity(fields.angular_velocity(part.name), _motion(part, spin=True), moving=True)


def _view(view: Array) -> Read:
    return lambda: view


def _of_gripper() -> Iterator[Quantity]:
    tips = [Part(side, "", "Point", site=f"{side}EndEffector") for side in ("right", "left")]

    def midway(reads: list[Callable[[Native], Read]]) -> Callable[[Native], Read]:
        def read(native: Native) -> Read:
            right, left = (of(native) for of in reads)
            return lambda: (right() + left()) / 2.0

        return read

    yield Quantity(fields.position("gripper"), midway([_place(tip) for tip in tips]))
    motions = midway([_motion(tip, spin=False) for tip in tips])
    yield Quantity(fields.linear_velocity("gripper"), motions, moving=True)
    opening = Field("gripper.opening", "from 0, closed, to 1, open: the fingers' distance over 0.1 m")
    yield Quantity(opening, lambda native: native.opening)


def _of_joint(source: str, path: str, *, sliding: bool) -> Iterator[Quantity]:
    def column(array: str, address: str) -> Callable[[Native], Read]:
        def read(native: Native) -> Read:
            at = int(getattr(native.model, address)[joint_of(native.model, source)])
            return _view(getattr(native.data, array)[at : at + 1])

        return read

    place, rate = fields.of_joint(path, slides=sliding)
    yield Quantity(place, column("qpos", "jnt_qposadr"))
    yield Quantity(rate, column("qvel", "jnt_dofadr"))


def _goal(native: Native) -> Read:
    goal: Read = native.env._get_pos_goal
    return goal


def _constants(native: Native) -> Iterator[Constant]:
    env, model = native.env, native.model
    yield Constant("dt", float(env.dt), "time from state to next_state", "s")
    yield Constant("action_scale", float(env.action_scale), "how far an action of 1 moves the hand's target", "m")
    low, high = (tuple(float(x) for x in bound) for bound in (env.mocap_low, env.mocap_high))
    yield Constant("hand_low", low, "least x, y and z of the hand's target", "m")
    yield Constant("hand_high", high, "greatest x, y and z of the hand's target", "m")
    boxes = np.flatnonzero(
        (model.geom_bodyid == model.body("tablelink").id) & (model.geom_type == mujoco.mjtGeom.mjGEOM_BOX)
    )
    top = max(float(native.data.geom_xpos[box, 2] + model.geom_size[box, 2]) for box in boxes)
    yield Constant("table_height", top, "z of the table's top", "m")


def _size(model: Any, part: Part) -> Iterator[Constant]:
    """How large an object or fixture is, where it is of one simple shape."""
    if part.kind == "Point" or part.site:
        return
    tree = _subtree(model, body_of(model, part))
    # the shape that is drawn may be there again to collide
    shapes = {
        (mujoco.mjtGeom(model.geom_type[geom]), tuple(float(x) for x in model.geom_size[geom]))
        for geom in range(model.ngeom)
        if model.geom_bodyid[geom] in tree
    }
    if len(shapes) != 1:
        return
    ((shape, (x, y, z)),) = shapes
    halves = {
        mujoco.mjtGeom.mjGEOM_BOX: (x, y, z),
        mujoco.mjtGeom.mjGEOM_SPHERE: (x, x, x),
        mujoco.mjtGeom.mjGEOM_CYLINDER: (x, x, y),
        mujoco.mjtGeom.mjGEOM_CAPSULE: (x, x, x + y),
    }
    if shape in halves:
        yield Constant(f"{part.name}_half_size", halves[shape], f"half of the {part.name}'s size, in its own axes", "m")


def _subtree(model: Any, root: int) -> set[int]:
    tree = {root}
    for body in range(root + 1, model.nbody):
        if int(model.body_parentid[body]) in tree:
            tree.add(body)
    return tree

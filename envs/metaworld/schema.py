"""The state schema of a Meta-World environment, derived from its model, and how each field is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from reward_agent.envs.metaworld.names import ROBOT, SCENES, Part
from reward_agent.envs.metaworld.native import Native
from reward_agent.schema import ActionSpec, Array, Constant, Entity, Field, StateSchema

Read = Callable[[], Any]

ACTIONS = ("move the hand in x", "move the hand in y", "move the hand in z", "close (1) or open (-1) the gripper")
SUCCESS = "outcome.success"
"""Hidden: what Meta-World itself says."""


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
        kind = "Slide" if _slides(native.model, joint) else "Hinge"
        entities.append(Entity(f"joints.{name}", kind, f"{doc}; {_joint_doc(native, joint)}"))
        quantities += _of_joint(source, name, kind)
    entities.append(Entity("goal", "Goal", "where the task wants it; it never moves in an episode"))
    quantities.append(Quantity(Field("goal.position", "where it is", "m", (3,)), _goal))
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
        import mujoco

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
    path = part.name + "."
    yield Quantity(Field(path + "position", "where it is", "m", (3,)), _place(part))
    if part.kind == "Object":
        orientation = Field(path + "orientation", "quaternion wxyz, from its own frame to the world's", "", (4,))
        yield Quantity(orientation, lambda native: _constant_view(native.data.xquat[body_of(native.model, part)]))
    if part.kind != "Fixture":
        velocity = Field(path + "linear_velocity", "velocity of its position", "m/s", (3,))
        yield Quantity(velocity, _motion(part, spin=False), moving=True)
    if part.kind == "Object":
        spin = Field(path + "angular_velocity", "angular velocity, in the world's axes", "rad/s", (3,))
        yield Quantity(spin, _motion(part, spin=True), moving=True)


def _constant_view(view: Array) -> Read:
    return lambda: view


def _of_gripper() -> Iterator[Quantity]:
    tips = [Part(side, "", "Point", site=f"{side}EndEffector") for side in ("right", "left")]

    def midway(reads: list[Callable[[Native], Read]]) -> Callable[[Native], Read]:
        def read(native: Native) -> Read:
            right, left = (of(native) for of in reads)
            return lambda: (right() + left()) / 2.0

        return read

    yield Quantity(Field("gripper.position", "where it is", "m", (3,)), midway([_place(tip) for tip in tips]))
    velocity = Field("gripper.linear_velocity", "velocity of its position", "m/s", (3,))
    yield Quantity(velocity, midway([_motion(tip, spin=False) for tip in tips]), moving=True)
    opening = Field("gripper.opening", "from 0, closed, to 1, open: the fingers' distance over 0.1 m")
    yield Quantity(opening, lambda native: native.opening)


def _of_joint(source: str, name: str, kind: str) -> Iterator[Quantity]:
    def column(array: str, address: str) -> Callable[[Native], Read]:
        def read(native: Native) -> Read:
            at = int(getattr(native.model, address)[joint_of(native.model, source)])
            return _constant_view(getattr(native.data, array)[at : at + 1])

        return read

    path = f"joints.{name}."
    if kind == "Slide":
        position = Field(path + "position", "how far it is along its axis", "m")
        velocity = Field(path + "velocity", "velocity along its axis", "m/s")
    else:
        position = Field(path + "angle", "angle by the right-hand rule, unwrapped", "rad")
        velocity = Field(path + "velocity", "rate of that angle", "rad/s")
    yield Quantity(position, column("qpos", "jnt_qposadr"))
    yield Quantity(velocity, column("qvel", "jnt_dofadr"))


def _goal(native: Native) -> Read:
    goal: Read = native.env._get_pos_goal
    return goal


def _slides(model: Any, joint: int) -> bool:
    import mujoco

    return bool(model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE)


def _joint_doc(native: Native, joint: int) -> str:
    model = native.model
    axis = native.data.xaxis[joint]
    main = int(np.abs(axis).argmax())
    words = f"{'along' if _slides(model, joint) else 'about'} {'+' if axis[main] > 0 else '-'}{'xyz'[main]}"
    if model.jnt_limited[joint]:
        low, high = model.jnt_range[joint]
        words += f", from {low:.3g} to {high:.3g} {'m' if _slides(model, joint) else 'rad'}"
    return words


def _constants(native: Native) -> Iterator[Constant]:
    import mujoco

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
    """How large an object is, where it is of one simple shape."""
    import mujoco

    if part.kind != "Object":
        return
    tree = _subtree(model, body_of(model, part))
    shapes = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] in tree]
    if len(shapes) != 1:
        return
    size = [float(x) for x in model.geom_size[shapes[0]]]
    extents = {
        mujoco.mjtGeom.mjGEOM_BOX: size,
        mujoco.mjtGeom.mjGEOM_SPHERE: [size[0]] * 3,
        mujoco.mjtGeom.mjGEOM_CYLINDER: [size[0], size[0], size[1]],
        mujoco.mjtGeom.mjGEOM_CAPSULE: [size[0], size[0], size[0] + size[1]],
    }.get(mujoco.mjtGeom(model.geom_type[shapes[0]]))
    if extents is not None:
        yield Constant(
            f"{part.name}_half_size", tuple(extents), f"half of the {part.name}'s size, in its own axes", "m"
        )


def _subtree(model: Any, root: int) -> set[int]:
    tree = {root}
    for body in range(root + 1, model.nbody):
        if int(model.body_parentid[body]) in tree:
            tree.add(body)
    return tree

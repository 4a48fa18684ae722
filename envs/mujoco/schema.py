"""The state schema of a MuJoCo environment, derived from its model, and where each field's numbers come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from reward_agent.envs import fields
from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.model import Reading, base_model, site_name
from reward_agent.envs.mujoco.names import Part, Robot
from reward_agent.envs.mujoco_model import axis_words, joint_doc, joint_kind, slides
from reward_agent.schema import ActionSpec, Constant, Entity, Field, StateSchema


@dataclass(frozen=True)
class Columns:
    """Columns of one of MuJoCo's fields, each simulation's values laid flat."""

    source: str
    """As `qpos`, `xpos`, `cfrc_ext`."""
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Quantity:
    """A field of the state and how it comes about."""

    field: Field
    origin: Columns | Reading
    use: Literal["value", "touches", "air time"] = "value"
    """What is made of the origin: its value, whether it is over 0, or the time since it was."""


@dataclass(frozen=True)
class Derived:
    """All that a model gives."""

    schema: StateSchema
    quantities: dict[str, Quantity]
    """By field path."""


@cache
def derive(machine: Machine, contact_forces: bool) -> Derived:
    """The schema of a machine and the origin of each field."""
    model, robot = base_model(machine), machine.robot
    actuated = _actuated_joints(model)
    quantities: list[Quantity] = []
    entities: list[Entity] = []
    for part in robot.parts:
        entities.append(Entity(part.name, part.kind, part.doc))
        quantities += _of_part(model, robot, part)
    joints = {model.joint(name).id: ours for name, ours in robot.joints.items()}
    for joint, name in sorted(joints.items()):
        doc = _joint_doc(machine, model, joint, name, actuated)
        entities.append(Entity(f"joints.{name}", joint_kind(model, joint), doc))
        quantities += _of_joint(model, joint, f"joints.{name}")
    if not any(slides(model, joint) for joint in actuated):
        entities.append(Entity("joints", "Joints", "the driven joints together, in the order of action"))
        quantities += _of_driven(model, actuated)
    entities.append(Entity("actuators", "Actuators", "the motors, in the order of action"))
    quantities.append(_force(model, actuated))
    if robot.centre_of_mass:
        entities.append(Entity("center_of_mass", "CenterOfMass", "of the whole robot"))
        quantities += _of_mass(model, robot)
    if contact_forces:
        entities.append(Entity("contact_forces", "ContactForces", "of contacts, on every body"))
        quantities.append(_contact_forces(model))
    schema = StateSchema(
        fields=tuple(quantity.field for quantity in quantities),
        entities=tuple(entities),
        action=ActionSpec(
            names=tuple(joints[joint] for joint in actuated),
            low=tuple(float(x) for x in model.actuator_ctrlrange[:, 0]),
            high=tuple(float(x) for x in model.actuator_ctrlrange[:, 1]),
        ),
        constants=(*_constants(machine, model, actuated), *machine.constants(model)),
    )
    return Derived(schema, {quantity.field.path: quantity for quantity in quantities})


def _columns(source: str, row: int, width: int) -> Columns:
    return Columns(source, tuple(range(row * width, (row + 1) * width)))


def body_of(model: Any, part: Part) -> int:
    """The number of the body that `part` is, or is a shape of."""
    if part.body:
        return int(model.body(part.body).id)
    return int(model.geom(part.geom).bodyid[0] if part.geom else model.site(part.site).bodyid[0])


def _of_part(model: Any, robot: Robot, part: Part) -> Iterator[Quantity]:
    body, site = body_of(model, part), site_name(part)
    kind: Literal["xbody", "site"] = "site" if site else "xbody"
    frame = site or part.body
    place = _columns("site_xpos", model.site(site).id, 3) if site else _columns("xpos", body, 3)
    yield Quantity(fields.position(part.name), place)
    if part.kind != "Point":
        yield Quantity(fields.orientation(part.name), _columns("xquat", body, 4))
    yield Quantity(fields.linear_velocity(part.name), Reading("framelinvel", kind, frame))
    if part.kind != "Point":
        yield Quantity(fields.angular_velocity(part.name), Reading("frameangvel", kind, frame))
    if robot.floor:
        contact = Reading("contact", "geom", part.geom) if part.geom else Reading("contact", "body", part.body)
        yield Quantity(Field(f"{part.name}.contact", "it touches the floor", kind="bool"), contact, "touches")
        if part.kind == "Foot":
            doc = "time since it last touched the floor, or since reset; 0 in touch"
            yield Quantity(Field(f"{part.name}.air_time", doc, "s"), contact, "air time")


def _of_joint(model: Any, joint: int, path: str) -> Iterator[Quantity]:
    place, rate = fields.of_joint(path, slides=slides(model, joint))
    yield Quantity(place, Columns("qpos", (int(model.jnt_qposadr[joint]),)))
    yield Quantity(rate, Columns("qvel", (int(model.jnt_dofadr[joint]),)))


def _of_driven(model: Any, actuated: list[int]) -> Iterator[Quantity]:
    shape = (len(actuated),)
    angles = Columns("qpos", tuple(int(model.jnt_qposadr[joint]) for joint in actuated))
    rates = Columns("qvel", tuple(int(model.jnt_dofadr[joint]) for joint in actuated))
    yield Quantity(Field("joints.angles", "their angles", "rad", shape), angles)
    yield Quantity(Field("joints.velocities", "their rates", "rad/s", shape), rates)


def _force(model: Any, actuated: list[int]) -> Quantity:
    sliding = all(slides(model, joint) for joint in actuated)
    unit, word = ("N", "force") if sliding else ("N m", "torque")
    field = Field("actuators.force", f"{word} each motor gives, of the last action", unit, (len(actuated),))
    return Quantity(field, Columns("qfrc_actuator", tuple(int(model.jnt_dofadr[joint]) for joint in actuated)))


def _of_mass(model: Any, robot: Robot) -> Iterator[Quantity]:
    place = _columns("subtree_com", model.body(robot.root).id, 3)
    yield Quantity(fields.position("center_of_mass"), place)
    velocity = Field("center_of_mass.velocity", "its velocity", "m/s", (3,))
    yield Quantity(velocity, Reading("subtreelinvel", "body", robot.root))


def _contact_forces(model: Any) -> Quantity:
    doc = "torque (first 3, N m) and force (last 3, N) of contacts on each body, in its last sub-step, world axes"
    field = Field("contact_forces.raw", doc, "", (model.nbody - 1, 6))
    return Quantity(field, Columns("cfrc_ext", tuple(range(6, 6 * model.nbody))))  # the world's own is left out


def _actuated_joints(model: Any) -> list[int]:
    """The joint of each actuator."""
    return [int(joint) for joint in model.actuator_trnid[:, 0]]


def _joint_doc(machine: Machine, model: Any, joint: int, name: str, actuated: list[int]) -> str:
    words = joint_doc(model, joint, _axis(model, joint))
    if joint in actuated and machine.servos:
        words += f"; {machine.servos}"
    elif joint in actuated:
        gear = model.actuator_gear[actuated.index(joint), 0]
        words += f", {gear:g} {'N' if slides(model, joint) else 'N m'} for an action of 1"
    if name == "root_pitch":
        words += "; positive leans forward (the +x side goes down), a whole forward turn adds 2 pi"
    return words


def _axis(model: Any, joint: int) -> str:
    """The joint's axis in the world at the initial pose."""
    import mujoco

    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    return axis_words(data.xaxis[joint])


def _constants(machine: Machine, model: Any, actuated: list[int]) -> Iterator[Constant]:
    import mujoco

    robot = machine.robot
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    yield Constant("dt", machine.native.dt, "time from state to next_state", "s")
    yield Constant("gravity", float(abs(model.opt.gravity[2])), "points to -z", "m/s^2")
    if robot.centre_of_mass:
        yield Constant("mass", float(model.body(robot.root).subtreemass[0]), "of the whole robot", "kg")
    if any(part.name == "torso" for part in robot.parts):
        yield Constant("torso_height", float(data.body("torso").xpos[2]), "of torso.position in the initial pose", "m")
    for part in robot.parts:
        if part.name == "tip":
            height = float(data.site(site_name(part)).xpos[2])
            yield Constant("tip_height", height, "of tip.position when upright", "m")
    feet = [part for part in robot.parts if part.kind == "Foot"]
    if feet:
        yield Constant("foot_radius", float(model.geom(feet[0].geom).size[0]), "of the rounded feet", "m")
    if all(model.jnt_limited[joint] for joint in actuated):
        low, high = (tuple(float(model.jnt_range[joint, i]) for joint in actuated) for i in (0, 1))
        unit = "m" if all(slides(model, joint) for joint in actuated) else "rad"
        yield Constant("joint_low", low, "lower limits of the driven joints, in the order of action", unit)
        yield Constant("joint_high", high, "upper limits of the driven joints, in the order of action", unit)
    if machine.servos:
        return
    gear = tuple(float(x) for x in model.actuator_gear[:, 0])
    unit = "N" if all(slides(model, joint) for joint in actuated) else "N m"
    yield Constant("gear", gear, "what each motor gives for an action of 1", unit)

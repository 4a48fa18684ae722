"""The state schema of a ManiSkill environment, derived from its scene and agent, and how each field is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from reward_agent.envs.maniskill.names import SURROUNDINGS, TABLE, Scene, Thing
from reward_agent.envs.maniskill.reading import Env, Reading, actor, attribute, centre_of_mass, half_sizes, read_tensor
from reward_agent.envs.maniskill.simulator import enable_gpu, make_env, scene_of
from reward_agent.schema import ActionSpec, Constant, Entity, Field, FieldKind, StateSchema

if TYPE_CHECKING:
    from reward_agent.envs.maniskill.world import ManiSkill

SUCCESS = "evaluation.success"
"""Path of ManiSkill's own verdict; hidden."""
_OFF_CENTRE = 1e-5
"""Distance of a centre of mass from the origin above which their velocities are told apart [m]."""


@dataclass(frozen=True)
class Quantity:
    """A field of the state and where its numbers come from."""

    field: Field
    reading: Reading
    columns: tuple[int, ...]
    """Of the reading."""


@dataclass(frozen=True)
class Derived:
    """All that an environment gives."""

    schema: StateSchema
    quantities: Mapping[str, Quantity]
    """By field path."""
    dt: float


def derive(world: ManiSkill) -> Derived:
    """The schema of a world and the origin of each field; the same on a CPU and a GPU, derived on the CPU.

    Raises:
        MissingComponentError: it cannot be built here.
        UsageError: no such environment or control mode, or a GPU after this process has simulated on the CPU.
    """
    if world.sim == "physx_cuda" and world.missing() is None:
        enable_gpu()  # the scene that is derived from would bar the GPU from this process
    return _derive(replace(world, sim="physx_cpu"))


@cache
def _derive(world: ManiSkill) -> Derived:
    env = make_env(world)
    try:
        return _walk(env, scene_of(world.env))
    finally:
        env.close()


def _walk(env: Env, scene: Scene) -> Derived:
    info = env.get_info()
    quantities = [*_robot(env, scene), *_things(env, scene), *_told(env, scene), *_evaluation(info, scene)]
    entities = _entities(env, scene, quantities)
    order = {entity.name: number for number, entity in enumerate(entities)}
    quantities.sort(key=lambda quantity: order[quantity.field.entity])  # stable: of one entity they stay in order
    schema = StateSchema(
        fields=tuple(quantity.field for quantity in quantities),
        entities=tuple(entities),
        action=_action(env),
        constants=tuple(_constants(env, scene)),
    )
    return Derived(schema, {q.field.path: q for q in quantities}, 1.0 / env.control_freq)


def _frame(path: str, reading: Reading, point: bool = False) -> Iterator[Quantity]:
    yield Quantity(Field(f"{path}.position", "where it is", "m", (3,)), reading, (0, 1, 2))
    if not point:
        doc = "quaternion wxyz, from its own frame to the world's"
        yield Quantity(Field(f"{path}.orientation", doc, "", (4,)), reading, (3, 4, 5, 6))


def _motion(path: str, body: Any, reading: Reading) -> Iterator[Quantity]:
    """Of an actor or link that moves freely; its velocity is that of its position."""
    off = float(centre_of_mass(body).abs().max()) > _OFF_CENTRE
    linear: Literal["origin_velocity", "linear_velocity"] = "origin_velocity" if off else "linear_velocity"
    field = Field(f"{path}.linear_velocity", "velocity of its position", "m/s", (3,))
    yield Quantity(field, reading._replace(what=linear), (0, 1, 2))
    field = Field(f"{path}.angular_velocity", "angular velocity, in the world's axes", "rad/s", (3,))
    yield Quantity(field, reading._replace(what="angular_velocity"), (0, 1, 2))


def _robot(env: Env, scene: Scene) -> Iterator[Quantity]:
    """Hand, fingers and joints. Robots of ManiSkill with a hand have its two fingers as their last two joints."""
    hand, joints = _hand(env), [joint.name for joint in env.agent.robot.active_joints]
    link = Reading("attribute", "agent.tcp")
    yield from _frame(hand, link._replace(what="pose"))
    yield from _motion(hand, env.agent.tcp, link)
    arm = len(joints)
    if _grips(env):
        arm -= 2
        fingers = Quantity(Field(f"{hand}.opening", "gap between the fingers", "m"), _summed("qpos"), (0,))
        yield fingers
        yield replace(fingers, field=Field(f"{hand}.opening_rate", "rate of that", "m/s"), reading=_summed("qvel"))
        for thing in _moving(env):
            name, known = _name(scene, thing), scene.grasps.get(thing)
            held = Reading("info", known) if known else Reading("actor", thing, "grasp", scene.grasp_angle)
            doc = f"both fingers press on it, 0.5 N or more each, within {scene.grasp_angle:g} degrees of closing"
            yield Quantity(Field(f"{hand}.grasps_{name}", doc, kind="bool"), held, (0,))
            doc = "force of the left and of the right finger on it"
            yield Quantity(Field(f"{hand}.forces_on_{name}", doc, "N", (2,)), Reading("actor", thing, "forces"), (0, 1))
    words, unit, rates = "angles", "rad", "rad/s"
    if not _stands(env):
        words, unit, rates = "positions", "rad, or m where they slide", "rad/s, or m/s where they slide"
    columns = tuple(range(arm))
    qpos, qvel = (Reading("attribute", f"agent.robot.{name}") for name in ("qpos", "qvel"))
    yield Quantity(Field(f"joints.{words}", "in the order of the robot's joints", unit, (arm,)), qpos, columns)
    yield Quantity(Field("joints.velocities", "their rates", rates, (arm,)), qvel, columns)


def _summed(name: str) -> Reading:
    return Reading("attribute", f"agent.robot.{name}", "fingers")


def _things(env: Env, scene: Scene) -> Iterator[Quantity]:
    for thing in _actors(env):
        body, words = actor(env, thing), scene.things.get(thing, Thing(""))
        path, reading = _name(scene, thing), Reading("actor", thing)
        yield from _frame(path, reading._replace(what="pose"), words.point)
        if body.px_body_type == "dynamic":
            yield from _motion(path, body, reading)
        if thing in env.scene.actor_views and half_sizes(body):
            width = len(half_sizes(body)[0])
            field = Field(f"{path}.half_size", "half its extent along each of its own axes", "m", (width,))
            yield Quantity(field, reading._replace(what="size"), tuple(range(width)))


def _told(env: Env, scene: Scene) -> Iterator[Quantity]:
    for told in scene.told:
        value, reading = attribute(env, told.attribute), Reading("attribute", told.attribute)
        if hasattr(value, "raw_pose"):
            yield from _frame(told.path, reading._replace(what="pose"))
        elif hasattr(value, "pose"):
            yield from _frame(told.path, reading._replace(what="pose"))
            yield from _motion(told.path, value, reading)
        else:
            width = read_tensor(env, {}, reading).shape[1]
            kind: FieldKind = "bool" if told.flag else "float"
            shape = (width,) if width > 1 else ()
            yield Quantity(
                Field(told.path, told.doc, told.unit, shape, kind, told.hidden), reading, tuple(range(width))
            )


def _evaluation(info: Mapping[str, Any], scene: Scene) -> Iterator[Quantity]:
    """What `evaluate()` judges: for metrics alone. A grasp that it tells is a field of the hand's."""
    import torch

    for key, value in info.items():
        if torch.is_tensor(value) and value.dtype == torch.bool and key not in scene.grasps.values():
            field = Field(f"evaluation.{key}", f"ManiSkill's `{key}`", kind="bool", hidden=True)
            yield Quantity(field, Reading("info", key), (0,))


def _entities(env: Env, scene: Scene, quantities: list[Quantity]) -> list[Entity]:
    """In the order told: robot, things, what else is told, and last what is hidden."""
    paths: dict[str, list[Field]] = {}
    for quantity in quantities:
        paths.setdefault(quantity.field.entity, []).append(quantity.field)
    docs = {
        _hand(env): "the hand; its point is between the fingertips, its own z axis points out of it"
        if _grips(env)
        else "the stick; its point is its tip, its own z axis points out of it",
        "joints": "the robot's joints: " + ", ".join(_joint_names(env)),
        "evaluation": "what ManiSkill makes of the state",
    }
    docs |= {_name(scene, thing): words.doc for thing, words in scene.things.items()}
    docs |= {told.path: told.doc for told in reversed(scene.told)}
    usual = {
        ("position",): "Place",
        ("position", "orientation"): "Frame",
        ("position", "orientation", "linear_velocity", "angular_velocity"): "Body",
    }
    entities = []
    for name, fields in paths.items():
        kind = usual.get(tuple(field.name for field in fields), name.title().replace("_", ""))
        entities.append(Entity(name, kind, docs.get(name) or f"the {name.replace('_', ' ')}"))
    return sorted(entities, key=lambda entity: entity.name == "evaluation")


def _constants(env: Env, scene: Scene) -> Iterator[Constant]:
    yield Constant("dt", 1.0 / env.control_freq, "time from state to next_state", "s")
    if TABLE in env.scene.actors:
        yield Constant("table_top", 0.0, "height of the table", "m")
    if _stands(env):
        base = tuple(round(number, 6) + 0.0 for number in _plain(env.agent.robot.pose.p[0]))
        yield Constant("base_position", base, "of the robot's base", "m")
    limits = env.agent.robot.get_qlimits()[0]
    if _grips(env):
        yield Constant("widest_opening", float(limits[-1, 1] * 2), "of the hand", "m")
        limits = limits[:-2]
    if bool(limits.isfinite().all()):
        yield Constant("joint_low", _plain(limits[:, 0]), "lower limits of the joints", "rad")
        yield Constant("joint_high", _plain(limits[:, 1]), "upper limits of the joints", "rad")
    for thing in _actors(env):
        size, name = half_sizes(actor(env, thing)), _name(scene, thing)
        if size and thing not in env.scene.actor_views:
            if len(size[0]) == 1:
                yield Constant(f"{name}_radius", size[0][0], f"of the {name.replace('_', ' ')}", "m")
            else:
                yield Constant(f"{name}_half_size", size[0], f"of the {name.replace('_', ' ')}, along its axes", "m")
    for number in scene.numbers:
        yield Constant(number.name, float(attribute(env, number.attribute)), number.doc, number.unit)


def _action(env: Env) -> ActionSpec:
    space, names = env.single_action_space, []
    for part, controller in env.agent.controller.controllers.items():
        joints = [_short(joint.name) for joint in controller.joints]
        width = controller.single_action_space.shape[0]
        if "EE" in type(controller).__name__:
            names += [*(f"move_{axis}" for axis in "xyz"), *(f"turn_{axis}" for axis in "xyz")][:width]
        elif "Base" in type(controller).__name__ and width == 2:
            names += ["drive", "turn"]
        elif width == len(joints):
            names += joints
        elif width == 2 * len(joints):
            names += [*joints, *(f"{joint}_velocity" for joint in joints)]
        else:
            names += [part] if width == 1 else [f"{part}_{number + 1}" for number in range(width)]
    low, high = (tuple(float(x) for x in bound) for bound in (space.low, space.high))
    return ActionSpec(names=tuple(names), low=low, high=high)


def _hand(env: Env) -> str:
    return "gripper" if _grips(env) else "stick"


def _grips(env: Env) -> bool:
    return hasattr(env.agent, "finger1_link") and hasattr(env.agent, "finger2_link")


def _stands(env: Env) -> bool:
    """Whether all joints of the robot, but those of its fingers, turn: it stands where it is."""
    joints = env.agent.robot.active_joints
    return all(joint.type[0] != "prismatic" for joint in (joints[:-2] if _grips(env) else joints))


def _joint_names(env: Env) -> list[str]:
    names = [_short(joint.name) for joint in env.agent.robot.active_joints]
    return names[:-2] if _grips(env) else names


def _short(joint: str) -> str:
    return joint.removeprefix("panda_").removesuffix("_joint")


def _actors(env: Env) -> list[str]:
    """Things of the task by the simulator's names; views in place of what they are views of."""
    seen = {id(entity) for view in env.scene.actor_views.values() for entity in view._objs}
    seen_names = {entity.name for view in env.scene.actor_views.values() for entity in view._objs}
    alone = [
        name
        for name, body in env.scene.actors.items()
        if name not in SURROUNDINGS and not any(id(e) in seen or e.name in seen_names for e in body._objs)
    ]
    return [*alone, *env.scene.actor_views]


def _moving(env: Env) -> list[str]:
    return [name for name in _actors(env) if actor(env, name).px_body_type == "dynamic"]


def _name(scene: Scene, thing: str) -> str:
    words = scene.things.get(thing)
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|-", "_", thing).lower()
    return words.name if words and words.name else snake


def _plain(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in np.asarray(values))

"""A quadruped of somebody else's as a machine of ours: its body, our names, servos and floor.

Kept are masses, shapes, friction, joints with their limits, and the torque limits of the motors. Replaced are motors
(by servos as ours, stiffer by as much as the robot is heavier), time step, solver and the softness of contacts. As with
ours, a robot touches the floor alone and not itself; so even where meshes collide, they cost little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.quadruped.anatomy import Anatomy, Home, anatomy
from reward_agent.envs.quadruped.names import JOINTS, LEGS, ROBOT
from reward_agent.envs.quadruped.robot import HEIGHT, MASS, STANCE
from reward_agent.envs.quadruped.stance import TIMESTEP, Stance, add_servos, machine
from reward_agent.errors import UsageError

FURTHEST = max(STANCE.reach)
"""Radians that an action of 1 turns a target at most, for joints that go round and round."""
SETTLES = 2.0
"""Seconds after which it stands still."""
_CONTACT = {"condim": 3, "margin": 0.0, "gap": 0.0, "solref": (0.01, 1.0), "solimp": (0.9, 0.95, 0.001, 0.5, 2.0)}
"""Of shapes that touch the floor, as our own robot's."""

ARMATURE = 0.01
"""Inertia of the motors' rotors of a robot as heavy as ours, kg m², where a model has none: servos then keep still in
steps of 5 ms."""
_TILES = "reward-agent:tiles"


@dataclass(frozen=True)
class _Build:
    """All that is made of a file."""

    file: Path
    anatomy: Anatomy
    stance: Stance
    limits: Mapping[int, tuple[float, float]]
    """What joints may be given, N m, by the model's numbers."""
    height: float
    """Of the torso in the initial pose, m."""


@cache
def adopted(name: str, file: Path, home: Home | None) -> Machine:
    """The robot of a file.

    Args:
        name: for messages.
        file: an MJCF file of a robot; the `scene.xml` beside it is read where there is one.
        home: how it stands where neither has a key frame.

    Raises:
        UsageError: it cannot be read, is not built as a quadruped, or falls over where it should stand.
    """
    model = _read(file).compile()
    found = anatomy(model, name, home)
    build = _Build(file, found, _stance(model, found), _torque_limits(model), found.height)
    build = replace(build, height=_settled(build, name))
    distance, azimuth, elevation = ROBOT.view or (1.6, 130, -20)
    robot = replace(ROBOT, view=(distance * build.height / HEIGHT, azimuth, elevation))
    return machine(name, partial(_spec, build), build.stance, robot)


def _read(file: Path) -> Any:
    """A fresh `mujoco.MjSpec`: of the scene beside the robot where there is one, which has floor, light and pose."""
    import mujoco

    scene = file.parent / "scene.xml"
    used = scene if scene.is_file() else file
    try:
        return mujoco.MjSpec.from_file(str(used))
    except ValueError as error:
        raise UsageError(f"MuJoCo cannot read {used}: {' '.join(str(error).split()).rstrip('.')}.") from error


def _stance(model: Any, found: Anatomy) -> Stance:
    angles = tuple(angle for leg in found.legs for angle in leg.home)
    joints = [joint for leg in found.legs for joint in leg.joints]
    reach = []
    for joint, angle in zip(joints, angles, strict=True):
        low, high = model.jnt_range[joint] if model.jnt_limited[joint] else (-FURTHEST, FURTHEST)
        reach.append(min(float(max(high - angle, angle - low)), FURTHEST))
    heavier = found.mass / MASS
    return Stance(
        angles=angles,
        reach=tuple(reach),
        stiffness=STANCE.stiffness * heavier,
        damping=STANCE.damping * heavier,
        start=found.height,
        addresses=tuple(int(model.jnt_qposadr[joint]) for joint in joints),
    )


def _torque_limits(model: Any) -> dict[int, tuple[float, float]]:
    """Of each joint whose own limit or whose motor's says it, N m; the narrower of the two."""
    import mujoco

    found: dict[int, tuple[float, float]] = {}
    for joint in range(model.njnt):
        if model.jnt_actfrclimited[joint]:
            low, high = model.jnt_actfrcrange[joint]
            found[joint] = float(low), float(high)
    for motor in range(model.nu):
        gear, joint = abs(float(model.actuator_gear[motor, 0])), int(model.actuator_trnid[motor, 0])
        plain = model.actuator_biastype[motor] == mujoco.mjtBias.mjBIAS_NONE
        if model.actuator_forcelimited[motor]:
            low, high = gear * model.actuator_forcerange[motor]
        elif plain and model.actuator_ctrllimited[motor]:
            low, high = gear * model.actuator_gainprm[motor, 0] * model.actuator_ctrlrange[motor]
        else:
            continue
        before = found.get(joint, (float(low), float(high)))
        found[joint] = max(before[0], float(low)), min(before[1], float(high))
    return found


def _settled(build: _Build, name: str) -> float:
    """Height of the torso, m, once it has stood for a while.

    Raises:
        UsageError: it falls over.
    """
    import mujoco

    model = _spec(build).compile()
    data = mujoco.MjData(model)
    data.qpos[list(build.stance.addresses)] = build.stance.angles
    for _ in range(round(SETTLES / TIMESTEP)):
        mujoco.mj_step(model, data)
    torso = data.body("torso")
    lies = torso.id in model.geom_bodyid[data.contact.geom]
    if build.height <= 0 or lies or not torso.xmat[8] > 0.9:
        raise UsageError(
            f"{name} falls over in its home pose, so no action would be standing still. Give its model a key frame "
            "`home` in which its feet are below its hips."
        )
    return float(data.qpos[2])


def _spec(build: _Build) -> Any:
    """A fresh `mujoco.MjSpec`."""
    import mujoco

    spec, found = _read(build.file), build.anatomy
    # as compiled: numbers are places in these lists
    bodies, joints, geoms = [*spec.bodies], [*spec.joints], [*spec.geoms]
    for elements in (spec.sensors, spec.actuators, spec.keys, spec.excludes, spec.pairs):
        for element in [*elements]:
            spec.delete(element)
    _free_our_names(spec)
    _touch_the_floor(spec)
    torso = bodies[found.torso]
    renamed = {torso.name: "torso"}
    torso.name, torso.pos = "torso", (0.0, 0.0, build.height)
    torso.alt.type, torso.quat = mujoco.mjtOrientation.mjORIENTATION_QUAT, (1.0, 0.0, 0.0, 0.0)
    for name, leg in zip(LEGS, found.legs, strict=True):
        for part, number in zip(("shoulder", "thigh", "calf"), leg.bodies, strict=True):
            renamed[bodies[number].name] = f"{name}_{part}"
            bodies[number].name = f"{name}_{part}"
        for part, number in zip(JOINTS, leg.joints, strict=True):
            joints[number].name = f"{name}_{part}"
            joints[number].armature = joints[number].armature or ARMATURE * found.mass / MASS
            if number in build.limits:
                joints[number].actfrclimited, joints[number].actfrcrange = True, build.limits[number]
        foot = geoms[leg.foot]
        if leg.sphere is not None:
            foot.contype, foot.conaffinity = 0, 0
            foot = foot.parent.add_geom(
                type=mujoco.mjtGeom.mjGEOM_SPHERE, pos=leg.sphere.place, size=[leg.sphere.radius, 0, 0], mass=0.0,
                group=3, friction=foot.friction, contype=0, conaffinity=1, **_CONTACT,
            )  # fmt: skip
        foot.name = f"{name}_foot"
    _aim(spec, renamed)
    spec.option.timestep, spec.option.integrator = TIMESTEP, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone, spec.option.impratio = mujoco.mjtCone.mjCONE_PYRAMIDAL, 1.0
    spec.option.iterations, spec.option.ls_iterations = 8, 8
    add_servos(spec, build.stance)
    return spec


def _free_our_names(spec: Any) -> None:
    """Whatever has a name that is to be a part's of ours has another."""
    ours = {f"{leg}_{part}" for leg in LEGS for part in ("shoulder", "thigh", "calf", "foot", *JOINTS)}
    renamed = {}
    for element in (*spec.bodies, *spec.joints, *spec.geoms):
        if element.name in ours | {"torso", "floor"}:
            renamed[element.name] = f"{element.name}:theirs"
            element.name = renamed[element.name]
    _aim(spec, renamed)


def _aim(spec: Any, renamed: Mapping[str, str]) -> None:
    """Lights and cameras go on pointing at bodies that were renamed."""
    for element in (*spec.lights, *spec.cameras):
        element.targetbody = renamed.get(element.targetbody, element.targetbody)


def _touch_the_floor(spec: Any) -> None:
    """What collided collides with the floor alone; there is a floor."""
    import mujoco

    floor = None
    for geom in spec.geoms:
        if geom.type == mujoco.mjtGeom.mjGEOM_PLANE and geom.parent.name == "world":
            floor = floor or geom
        elif geom.contype or geom.conaffinity:
            geom.contype, geom.conaffinity = 0, 1
            for name, value in _CONTACT.items():
                setattr(geom, name, value)
    if floor is None:
        spec.add_texture(
            name=_TILES, type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
            rgb1=(0.62, 0.66, 0.70), rgb2=(0.55, 0.59, 0.63), width=128, height=128,
        )  # fmt: skip
        tiles = spec.add_material(name=_TILES, texrepeat=(2, 2), texuniform=True)
        tiles.textures[int(mujoco.mjtTextureRole.mjTEXROLE_RGB)] = _TILES
        spec.worldbody.add_light(pos=(0, 0, 4), dir=(0, 0, -1), diffuse=(0.5, 0.5, 0.5))
        floor = spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_PLANE, size=(0, 0, 0.05), material=_TILES, friction=(0.9, 0.02, 0.01), group=0
        )
    floor.name, floor.contype, floor.conaffinity = "floor", 1, 0
    for name, value in _CONTACT.items():
        setattr(floor, name, value)

"""What stands before the hand: a table with a box and an apple, a faucet, or a drawer.

The table's surface is z = 0 and has no end. x is to the right as the hand points to +y. What collides are boxes,
capsules, cylinders and spheres. Faucet and drawer are put where an episode's draw says by joints `place_x`, `place_y`
and `place_turn`, so heavy and damped that no push moves them.
"""

from __future__ import annotations

from typing import Any

from reward_agent.envs.dexterous import hand
from reward_agent.envs.dexterous.hand import HAND, THING
from reward_agent.schema import Constant

TIMESTEP = 0.005
"""Seconds of one physics step."""

BOX = (0.03, 0.03, 0.045)
"""Half the box's edges along its own axes, m; its own z axis points out of the red lid."""
APPLE = 0.035
"""The apple's radius, m."""
ROLLING = 2e-4
"""N·m·s of the apple's own damping: pushed, it rolls to rest in about a second. Rolling friction costs more."""
FAUCET_RANGE = (0.0, 1.571)
"""Of the joint `faucet`, rad: closed, wide open."""
DRAWER_RANGE = (0.0, 0.2)
"""Of the joint `drawer`, m: shut, wide open."""

_GRIP = (1.0, 0.02, 0.0001)
_PLACED = {"armature": 1e3, "damping": 1e6}
_WOOD, _STEEL, _RED, _DARK = (0.72, 0.53, 0.33, 1), (0.75, 0.77, 0.8, 1), (0.8, 0.12, 0.1, 1), (0.25, 0.25, 0.28, 1)


def table() -> Any:
    """Spec of the hand over a table with a free `box` and a free `apple`."""
    spec = _empty_table()
    import mujoco

    shape = mujoco.mjtGeom
    box = spec.worldbody.add_body(name="box", pos=(0.0, 0.0, BOX[2]))
    box.add_freejoint(name="box")
    box.add_geom(name="box", type=shape.mjGEOM_BOX, size=BOX, mass=0.15, rgba=_WOOD, **_thing())
    lid = (BOX[0] + 5e-4, BOX[1] + 5e-4, 0.006)
    box.add_geom(name="lid", type=shape.mjGEOM_BOX, size=lid, pos=(0, 0, BOX[2] - 0.0055), rgba=_RED, **_SEEN)
    apple = spec.worldbody.add_body(name="apple", pos=(0.2, 0.0, APPLE))
    apple.add_joint(name="apple", type=mujoco.mjtJoint.mjJNT_FREE, damping=[ROLLING, 0, 0])
    apple.add_geom(name="apple", type=shape.mjGEOM_SPHERE, size=(APPLE, 0, 0), mass=0.15, rgba=_RED, **_thing())
    return spec


def faucet() -> Any:
    """Spec of the hand before a post whose lever turns about the vertical: joint `faucet`, site `faucet_handle`."""
    spec = _empty_table()
    import mujoco

    shape = mujoco.mjtGeom
    post = _placed(spec, "faucet_post", (0.0, 0.0, 0.0))
    post.add_geom(type=shape.mjGEOM_CYLINDER, size=(0.025, 0.06, 0), pos=(0, 0, 0.06), rgba=_STEEL, **_fixed())
    lever = post.add_body(name="faucet_lever", pos=(0, 0, 0.135))
    lever.add_joint(
        name="faucet",
        axis=(0, 0, 1),
        range=FAUCET_RANGE,
        limited=True,
        damping=[0.05, 0, 0],
        frictionloss=0.05,
        armature=0.005,
        solref_limit=hand.STOP,
        margin=0.0,
    )
    lever.add_geom(type=shape.mjGEOM_CYLINDER, size=(0.022, 0.015, 0), mass=0.05, rgba=_STEEL, **_fixed())
    ends = [0, 0, 0, *_LEVER]
    lever.add_geom(type=shape.mjGEOM_CAPSULE, size=(0.011, 0, 0), fromto=ends, mass=0.1, rgba=_RED, **_fixed())
    lever.add_site(name="faucet_handle", pos=_LEVER, size=(0.005, 0, 0), group=3)
    return spec


def drawer() -> Any:
    """Spec of the hand before a cabinet whose drawer comes out towards it: joint `drawer`, site `drawer_handle`."""
    spec = _empty_table()
    import mujoco

    box, capsule = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CAPSULE
    cabinet = _placed(spec, "cabinet", (0.0, 0.15, 0.0))
    cabinet.add_geom(type=box, size=(0.15, 0.11, 0.08), pos=(0, 0.11, 0.08), rgba=_WOOD, **_fixed())
    inside = cabinet.add_body(name="drawer", pos=(0, 0, 0.09))
    inside.add_joint(
        name="drawer",
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=(0, -1, 0),
        range=DRAWER_RANGE,
        limited=True,
        damping=[5.0, 0, 0],
        frictionloss=1.0,
        solref_limit=hand.STOP,
        margin=0.0,
    )
    inside.add_geom(type=box, size=(0.13, 0.008, 0.06), pos=(0, -0.008, 0), mass=0.3, rgba=_DARK, **_fixed())
    inside.add_geom(type=box, size=(0.12, 0.1, 0.005), pos=(0, 0.1, -0.05), rgba=_DARK, **(_SEEN | {"mass": 0.2}))
    for side in (-0.06, 0.06):
        ends = [side, -0.016, 0, side, _BAR[1], 0]
        inside.add_geom(type=capsule, size=(0.007, 0, 0), fromto=ends, mass=0.01, rgba=_STEEL, **_fixed())
    ends = [-0.06, *_BAR[1:], 0.06, *_BAR[1:]]
    inside.add_geom(type=capsule, size=(0.008, 0, 0), fromto=ends, mass=0.05, rgba=_STEEL, **_fixed())
    inside.add_site(name="drawer_handle", pos=_BAR, size=(0.005, 0, 0), group=3)
    return spec


_LEVER = (0.0, -0.12, 0.0)
_BAR = (0.0, -0.07, 0.0)
_SEEN = {"contype": 0, "conaffinity": 0, "mass": 0.0}


def _thing() -> dict[str, Any]:
    return {"contype": THING, "conaffinity": HAND | THING, "condim": 4, "friction": _GRIP}


def _fixed() -> dict[str, Any]:
    """Furniture: hands and things bump into it."""
    return {"contype": 0, "conaffinity": HAND | THING, "condim": 4, "friction": _GRIP}


def _empty_table() -> Any:
    import mujoco

    spec = hand.spec()
    option = spec.option
    option.tolerance = 1e-6
    option.timestep, option.integrator = TIMESTEP, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone, option.impratio = mujoco.mjtCone.mjCONE_ELLIPTIC, 1.0
    option.iterations, option.ls_iterations, option.noslip_iterations = 20, 20, 5
    spec.worldbody.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(0.6, 0.6, 0.05),
        material="table2d",
        **_fixed(),
    )
    return spec


def _placed(spec: Any, name: str, at: tuple[float, float, float]) -> Any:
    """A body of the furniture on joints that only a draw moves."""
    import mujoco

    body = spec.worldbody.add_body(name=name, pos=at)
    for joint, axis in (("place_x", (1, 0, 0)), ("place_y", (0, 1, 0)), ("place_turn", (0, 0, 1))):
        kind = mujoco.mjtJoint.mjJNT_HINGE if joint == "place_turn" else mujoco.mjtJoint.mjJNT_SLIDE
        body.add_joint(
            name=joint,
            type=kind,
            axis=axis,
            limited=False,
            frictionloss=0.0,
            armature=_PLACED["armature"],
            damping=[_PLACED["damping"], 0, 0],
        )
    return body


SPECS = {"table": table, "faucet": faucet, "drawer": drawer}
"""By scene."""


def constants(scene: str) -> tuple[Constant, ...]:
    """What a reward may know of a scene's sizes."""
    if scene == "table":
        return (
            Constant("box_half_size", BOX, "half the box's edges along its own axes", "m"),
            Constant("apple_radius", APPLE, "the apple's radius", "m"),
        )
    low, high = FAUCET_RANGE if scene == "faucet" else DRAWER_RANGE
    unit = "rad" if scene == "faucet" else "m"
    return (
        Constant(f"{scene}_low", low, f"the {scene} is shut", unit),
        Constant(f"{scene}_high", high, f"the {scene} is wide open", unit),
    )

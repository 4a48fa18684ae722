"""The quadruped's skills, for code as policies: what a robot's maker would offer a program, each carried out as it is.

They are coarser than reward parameters, as in the paper: walking and turning are skills whose gait is fixed, and a pose
is what the torso and each foot hold. What they amount to is the same planner's reward.
"""

from __future__ import annotations

from collections.abc import Iterator

from reward_agent.envs.quadruped.names import LEGS
from reward_agent.envs.quadruped.parameters import ALWAYS, DEFINITIONS, FOOT, ROBOT, STEPPING, TORSO
from reward_agent.parameters.api import Argument, Function, RewardApi, Term, Values

_TROT = {"front_left": 0.0, "front_right": 0.5, "back_left": 0.5, "back_right": 0.0}
"""Phase of each foot in the gait of `walk`."""


def primitives() -> RewardApi:
    """Heading, walking, the torso's pose, and where a foot is."""
    return RewardApi(
        robot=ROBOT,
        functions=(_HEAD_TOWARDS, _WALK, _TORSO_POSE, _MOVE_FOOT),
        always=ALWAYS,
        definitions=DEFINITIONS,
    )


def _head_towards(values: Values) -> Iterator[Term]:
    yield from TORSO.terms({"target_torso_heading": values["heading"], "target_torso_height": 0.28})


def _walk(values: Values) -> Iterator[Term]:
    speeds = {
        "target_torso_velocity_forward": values["forward_speed"],
        "target_torso_velocity_left": values["left_speed"],
        "target_turning_speed": values["turning_speed"],
    }
    yield from TORSO.terms(speeds)
    for leg, phase in _TROT.items():
        gait = {argument.name: argument.default for argument in STEPPING.arguments}
        yield from STEPPING.terms({**gait, "foot_name": leg, "phase_offset": phase})


def _torso_pose(values: Values) -> Iterator[Term]:
    yield from TORSO.terms({f"target_torso_{name}": value for name, value in values.items()})


def _move_foot(values: Values) -> Iterator[Term]:
    yield from FOOT.terms({"foot_name": values["foot_name"], "lift_height": values["height"], **_ahead(values)})


def _ahead(values: Values) -> Values:
    return {"extend_forward": values["forward"]} if "forward" in values else {}


_HEAD_TOWARDS = Function(
    "head_towards",
    "Turn on the spot until the nose points there.",
    (Argument("heading", "in the plane: 0 along world +x, 1.57 along +y", "rad", -6.3, 6.3, required=True),),
    _head_towards,
)
_WALK = Function(
    "walk",
    "Trot with these speeds.",
    (
        Argument("forward_speed", "ahead; negative goes backwards", "m/s", -2.0, 2.0, default=0.0),
        Argument("left_speed", "to its own left", "m/s", -1.0, 1.0, default=0.0),
        Argument("turning_speed", "seen from above counter-clockwise", "rad/s", -5.0, 5.0, default=0.0),
    ),
    _walk,
)
_TORSO_POSE = Function(
    "set_torso_pose",
    "Bring the torso into a pose and hold it.",
    (
        Argument("height", "of the torso's middle above the floor; 0.28 standing", "m", 0.0, 1.0, default=0.28),
        Argument("pitch", "positive raises the nose", "rad", -3.15, 3.15, default=0.0),
        Argument("roll", "positive lowers the right side", "rad", -3.15, 3.15, default=0.0),
    ),
    _torso_pose,
)
_MOVE_FOOT = Function(
    "move_foot",
    "Bring a foot to a place beside its hip and hold it there.",
    (
        Argument("foot_name", "which foot", choices=LEGS, required=True),
        Argument("height", "of its underside above the floor", "m", 0.0, 0.7, required=True),
        Argument("forward", "ahead of its hip", "m", -0.4, 0.4),
    ),
    _move_foot,
    key=("foot_name",),
)

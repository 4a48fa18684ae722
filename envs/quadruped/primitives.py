"""The quadruped's skills, for code as policies: what a robot's maker would offer a program, each carried out as it is.

They are coarser than reward parameters, as in the paper: walking and turning are skills whose gait is fixed, and a pose
is what the torso and each foot hold: whichever was called first, a pose tells how high the torso is while it turns, a
foot that is held takes no part in the gait, and one that is put down again does. What they amount to is the same
planner's reward.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from reward_agent.envs.quadruped.names import LEGS
from reward_agent.envs.quadruped.parameters import ALWAYS, DEFINITIONS, FOOT, STEPPING, standing_at, torso_terms
from reward_agent.envs.quadruped.words import Words
from reward_agent.parameters.api import Argument, Function, RewardApi, Term, Values

_ADVICE = "- Legs that carry the weight need no skill of their own."
_TROT = {"front_left": 0.0, "front_right": 0.5, "back_left": 0.5, "back_right": 0.0}
"""Phase of each foot in the gait of `walk`."""


def primitives(words: Words) -> RewardApi:
    """Heading, walking, the torso's pose, and where a foot is, of a robot of that build."""
    return RewardApi(
        robot=words.robot,
        functions=(_head_towards(words.height), _WALK, _torso_pose(words.height), _MOVE_FOOT),
        always=ALWAYS,
        definitions=DEFINITIONS,
        advice=_ADVICE,
    )


def _heading(height: float, values: Values) -> Iterator[Term]:
    yield from torso_terms({"target_torso_heading": values["heading"]})
    standing = {"target_torso_height": height}
    yield from (Term("standing", term.expression, unless=term.name) for term in torso_terms(standing))


def _walk(values: Values) -> Iterator[Term]:
    speeds = {
        "target_torso_velocity_forward": values["forward_speed"],
        "target_torso_velocity_left": values["left_speed"],
        "target_turning_speed": values["turning_speed"],
    }
    yield from torso_terms(speeds)
    for leg, phase in _TROT.items():
        gait = {argument.name: argument.default for argument in STEPPING.arguments}
        steps = STEPPING.terms({**gait, "foot_name": leg, "phase_offset": phase})
        yield from (term._replace(unless=f"{leg}_lift") for term in steps)


def _pose(values: Values) -> Iterator[Term]:
    yield from torso_terms({f"target_torso_{name}": value for name, value in values.items()})


def _move_foot(values: Values) -> Iterator[Term]:
    leg, put_down = values["foot_name"], values["height"] == 0.0 and "forward" not in values
    ahead = {"extend_forward": values["forward"]} if "forward" in values else {}
    for term in FOOT.terms({"foot_name": leg, "lift_height": values["height"], **ahead}):
        yield term._replace(name=f"{leg}_down", unless=f"{leg}_step") if put_down else term


def _head_towards(height: float) -> Function:
    return Function(
        "head_towards",
        "Turn on the spot until the nose points there.",
        (Argument("heading", "in the plane: 0 along world +x, 1.57 along +y", "rad", -6.3, 6.3, required=True),),
        partial(_heading, height),
        skill="way",
    )


def _torso_pose(height: float) -> Function:
    return Function(
        "set_torso_pose",
        "Bring the torso into a pose and hold it.",
        (
            Argument("height", standing_at(height), "m", 0.0, 1.0, default=height),
            Argument("pitch", "positive raises the nose", "rad", -3.15, 3.15, default=0.0),
            Argument("roll", "positive lowers the right side", "rad", -3.15, 3.15, default=0.0),
        ),
        _pose,
        skill="torso",
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
    skill="way",
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
    skill="foot",
)

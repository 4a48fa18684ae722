"""Which parts of each model are fields, under which names; all else of it is left out of prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reward_agent.envs.gymnasium.mujoco_state import FromModel
from reward_agent.envs.gymnasium.spaces import Route
from reward_agent.envs.robotics import goals
from reward_agent.schema import Entity, Field

Docs = Mapping[str, Field | Entity | str]

_STEP = "an arm with a gripper over a table; each step moves the gripper by up to about 3 cm along x, y and z"
FETCH = f"{_STEP}; its fingers stay closed"
FETCH_GRASPING = f"{_STEP}, and opens (1) or closes (-1) its fingers"
_TARGETS = "an action is the joint's target, -1 and 1 the ends of its range"
SHADOW = f"a dexterous hand, palm up, on a wrist of two joints; {_TARGETS}"
ADROIT = f"a dexterous hand on a wrist of two joints and, where there are more, on joints of the arm; {_TARGETS}"
"""What the robots are, for `Task.control`."""


@dataclass(frozen=True)
class Scene:
    """One environment's parts."""

    model: FromModel
    reached: Callable[[Any, Any], dict[str, Any]]
    fields: Docs
    actions: tuple[str, ...]
    goals: Mapping[str, Route] = field(default_factory=dict)
    """Fields of the goal, by where they are in the observation; Adroit's goals are parts of the model."""
    constants: tuple[tuple[str, float, str, str], ...] = ()
    """Name, value, meaning, unit."""


_ARM = ("shoulder_pan", "shoulder_lift", "upperarm_roll", "elbow_flex", "forearm_roll", "wrist_flex", "wrist_roll")
_FINGERS = {"r_gripper_finger": "right_finger", "l_gripper_finger": "left_finger"}


def _fetch(thing: str = "", *, half: tuple[float, str] = (0.0, ""), grasps: bool = False) -> Scene:
    """The Fetch arm; `thing` lies on the table, `half` its height (m)."""
    bodies = {f"robot0:{theirs}_link": ours for theirs, ours in _FINGERS.items()}
    joints = {f"robot0:{name}_joint": name for name in _ARM}
    joints |= {f"robot0:{theirs}_joint": ours for theirs, ours in _FINGERS.items()}
    docs: dict[str, Field | Entity | str] = {
        "gripper": "the point between the two fingers, which point down",
        "right_finger": "the finger on the +y side",
        "left_finger": "the finger on the -y side",
        "joints.right_finger": "how far it is open: 0 closed, 0.05 m wide open",
        "joints.left_finger": "how far it is open: 0 closed, 0.05 m wide open",
        "goal": f"where the {thing or 'gripper'} belongs",
        "goal.position": "the same all through an episode [m]",
        goals.REACHED: goals.HIDDEN,
    }
    constants: tuple[tuple[str, float, str, str], ...] = ()
    if thing:
        bodies["object0"] = "object"
        docs["object"] = f"the {thing}; its position is its middle"
        constants = (("table_height", 0.4, "of the table's surface", "m"), ("object_half_height", *half, "m"))
    if grasps:
        docs["actuators"] = "of the left finger, then of the right"
    return Scene(
        model=FromModel(bodies, {"robot0:grip": "gripper"}, joints),
        reached=goals.of_goal_env,
        fields=docs,
        actions=("move_x", "move_y", "move_z", "fingers" if grasps else "does_nothing"),
        goals={"goal.position": ("desired_goal",)},
        constants=constants,
    )


_TIPS = {"ff": "first_fingertip", "mf": "middle_fingertip", "rf": "ring_fingertip", "lf": "little_fingertip"}
_TIPS |= {"th": "thumb_tip"}
_OF_FINGERS = {"FF": 4, "MF": 4, "RF": 4, "LF": 5, "TH": 5}
_JOINTS = ("WRJ1", "WRJ0", *(f"{finger}J{n}" for finger, count in _OF_FINGERS.items() for n in reversed(range(count))))
_HAND_DOCS = {
    "palm": "the palm",
    "actuators": "in the order of action",
    "joints": "the joints together, as listed: WR wrist, FF first, MF middle, RF ring, LF little finger, TH thumb",
    **{tip: f"the pad at the end of the {tip.replace('_', ' ').replace('tip', '').strip()}" for tip in _TIPS.values()},
}
# the Shadow hand's last joints of the four fingers are driven by tendons, together with those before them
_COUPLED = {"FFJ0", "MFJ0", "RFJ0", "LFJ0"}


def _shadow(thing: str, parts: Mapping[str, Route], docs: Docs) -> Scene:
    """The Shadow hand, with a thing in it or none."""
    return Scene(
        model=FromModel(
            {"robot0:palm": "palm"} | ({"object": "object"} if thing else {}),
            {f"robot0:S_{finger}tip": name for finger, name in _TIPS.items()},
            {f"robot0:{name}": name for name in _JOINTS},
        ),
        reached=goals.of_goal_env,
        fields={**_HAND_DOCS, **docs, goals.REACHED: goals.HIDDEN},
        actions=tuple(name for name in _JOINTS if name not in _COUPLED),
        goals=parts,
    )


def _turning(thing: str, more: str = "") -> Scene:
    docs = {
        "object": f"the {thing}; its position is its middle",
        "goal": f"how the {thing} should be turned",
        "goal.orientation": f"quaternion wxyz that the {thing}'s should become; the same all through an episode{more}",
    }
    return _shadow(thing, {"goal.orientation": ("desired_goal", slice(3, 7))}, docs)


def _touching() -> Scene:
    places: dict[str, Route] = {
        f"goal.{name}": ("desired_goal", slice(3 * at, 3 * at + 3)) for at, name in enumerate(_TIPS.values())
    }
    docs = {path: f"where the {path.partition('.')[2].replace('_', ' ')} should be [m]" for path in places}
    return _shadow("", places, docs | {"goal": "where the five tips should be, the same all through an episode"})


def _adroit(
    arm: str,
    joints: str,
    bodies: Mapping[str, str],
    sites: Mapping[str, str],
    reached: Callable[[Any, Any], dict[str, Any]],
    docs: Docs,
) -> Scene:
    """The Adroit hand on joints of its `arm`; with further `joints` of the scene."""
    hand = {f"S_{finger}tip": name for finger, name in _TIPS.items()}
    return Scene(
        model=FromModel(
            bodies,
            {"S_grasp": "palm", **hand, **sites},
            {name: name for name in (*arm.split(), *_JOINTS, *joints.split())},
        ),
        reached=reached,
        fields={
            **_HAND_DOCS,
            "palm": "the point in the palm where things are held",
            **docs,
            goals.REACHED: goals.HIDDEN,
        },
        actions=(*arm.split(), *_JOINTS),
    )


_FREE = "OBJTx OBJTy OBJTz OBJRx OBJRy OBJRz"
_CUBE = (0.025, "half the edge of the cube")
_PUCK = (0.02, "half the height of the puck")

SCENES: dict[str, Scene] = {
    "FetchReach-v4": _fetch(),
    "FetchPush-v4": _fetch("cube", half=_CUBE),
    "FetchSlide-v4": _fetch("puck", half=_PUCK),
    "FetchPickAndPlace-v4": _fetch("cube", half=_CUBE, grasps=True),
    "HandReach-v3": _touching(),
    "HandManipulateBlockRotateXYZ-v1": _turning("block"),
    "HandManipulateEggRotate-v1": _turning("egg"),
    "HandManipulatePenRotate-v1": _turning("pen", "; the turn about the pen's own z axis, its length, does not count"),
    "AdroitHandDoor-v1": _adroit(
        "ARTz ARRx ARRy ARRz",
        "door_hinge latch",
        {"door": "door"},
        {"S_handle": "handle"},
        goals.door_open,
        {
            "door": "the door; its position is on the hinge",
            "handle": "the middle of the door's handle",
            "joints.door_hinge": "the door's hinge: 0 closed, 1.57 wide open",
            "joints.latch": "the handle's turn, which frees the door",
        },
    ),
    "AdroitHandHammer-v1": _adroit(
        "ARRx ARRy",
        f"nail_dir {_FREE}",
        {"Object": "hammer"},
        {"tool": "hammer_head", "S_target": "nail", "nail_goal": "nail_goal"},
        goals.nail_in,
        {
            "hammer": "the hammer; its position is on the handle",
            "hammer_head": "the face of the hammer",
            "nail": "the nail's head",
            "nail_goal": "where the nail's head belongs, in the board",
            "joints.nail_dir": "how far the nail is in",
        },
    ),
    "AdroitHandPen-v1": _adroit(
        "",
        _FREE,
        {"Object": "pen"},
        {
            "object_top": "pen_top",
            "object_bottom": "pen_bottom",
            "eps_ball": "target",
            "target_top": "target_top",
            "target_bottom": "target_bottom",
        },
        goals.pen_turned,
        {
            "pen": "the pen; its position is its middle",
            "pen_top": "the pen's upper end",
            "pen_bottom": "the pen's lower end",
            "target": "where the pen's middle belongs",
            "target_top": "the upper end of a pen turned as this one should be, shown elsewhere",
            "target_bottom": "its lower end",
        },
    ),
    "AdroitHandRelocate-v1": _adroit(
        "ARTx ARTy ARTz ARRx ARRy ARRz",
        _FREE,
        {"Object": "ball"},
        {"target": "target"},
        goals.ball_there,
        {"ball": "the ball, 3.5 cm in radius", "target": "where the ball belongs, in the air"},
    ),
}

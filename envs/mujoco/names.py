"""What a person would call the parts of Gymnasium's robots. Names and words only: all numbers come from the models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Part:
    """A body, or one shape of a body, that the state schema tells of."""

    name: str
    doc: str
    body: str = ""
    """The model's body; its position is the body's origin, its contacts those of all its shapes."""
    geom: str = ""
    """Instead of `body`: one shape. Its position is the shape's centre or end, its contacts its own."""
    at: Literal["centre", "end"] = "centre"
    """Which point of the shape; the end is the centre of a capsule's rounded end, away from the body's origin."""
    kind: Literal["Body", "Foot", "Point"] = "Body"
    """A foot has air time besides; a point has a position and a velocity alone."""
    site: str = ""
    """Instead of `body` and `geom`: a site of the model."""


@dataclass(frozen=True)
class Robot:
    """Names for one model."""

    parts: tuple[Part, ...]
    joints: dict[str, str]
    """The model's joint to ours; joints not listed (those of goals and objects) are no fields."""
    root: str
    """The model's body from which the robot's centre of mass is taken; the camera follows it."""
    floor: str = ""
    """The shape that contacts are with; empty where the robot cannot touch it."""
    centre_of_mass: bool = True
    view: tuple[float, float, float] | None = None
    """Of the camera where the model has none of its own: distance (m), azimuth and elevation (degrees)."""


def _body(name: str, body: str, doc: str) -> Part:
    return Part(name, doc, body=body)


def _foot(name: str, geom: str, doc: str, at: Literal["centre", "end"] = "centre") -> Part:
    return Part(name, doc, geom=geom, at=at, kind="Foot")


def _point(name: str, doc: str, *, geom: str = "", site: str = "", at: Literal["centre", "end"] = "centre") -> Part:
    return Part(name, doc, geom=geom, site=site, at=at, kind="Point")


_PLANAR_ROOT = {"rootx": "root_x", "rootz": "root_z", "rooty": "root_pitch"}

_HOPPER = Robot(
    parts=(
        _body("torso", "torso", "upper body; its position is its middle"),
        _body("thigh", "thigh", "upper leg; its position is the hip joint"),
        _body("leg", "leg", "lower leg; its position is its middle"),
        _foot("foot", "foot_geom", "the one foot; its position is its middle"),
    ),
    joints=_PLANAR_ROOT | {"thigh_joint": "hip", "leg_joint": "knee", "foot_joint": "ankle"},
    root="torso",
    floor="floor",
)

_WALKER = Robot(
    parts=(
        _body("torso", "torso", "upper body; its position is its middle"),
        _body("right_thigh", "thigh", "right upper leg; its position is the hip joint"),
        _body("right_leg", "leg", "right lower leg; its position is its middle"),
        _foot("right_foot", "foot_geom", "right foot; its position is its middle"),
        _body("left_thigh", "thigh_left", "left upper leg; its position is the hip joint"),
        _body("left_leg", "leg_left", "left lower leg; its position is its middle"),
        _foot("left_foot", "foot_left_geom", "left foot; its position is its middle"),
    ),
    joints=_PLANAR_ROOT
    | {
        "thigh_joint": "right_hip",
        "leg_joint": "right_knee",
        "foot_joint": "right_ankle",
        "thigh_left_joint": "left_hip",
        "leg_left_joint": "left_knee",
        "foot_left_joint": "left_ankle",
    },
    root="torso",
    floor="floor",
)

_CHEETAH = Robot(
    parts=(
        _body("torso", "torso", "trunk, head included; its position is the trunk's middle"),
        _point("head", "the head at the front of the trunk; its position is its middle", geom="head"),
        _body("back_thigh", "bthigh", "upper back leg; its position is the back hip joint"),
        _body("back_shin", "bshin", "lower back leg; its position is the back knee joint"),
        _foot("back_foot", "bfoot", "back foot; its position is its middle"),
        _body("front_thigh", "fthigh", "upper front leg; its position is the front hip joint"),
        _body("front_shin", "fshin", "lower front leg; its position is the front knee joint"),
        _foot("front_foot", "ffoot", "front foot; its position is its middle"),
    ),
    joints=_PLANAR_ROOT
    | {
        "bthigh": "back_hip",
        "bshin": "back_knee",
        "bfoot": "back_ankle",
        "fthigh": "front_hip",
        "fshin": "front_knee",
        "ffoot": "front_ankle",
    },
    root="torso",
    floor="floor",
)

# the model's own names do not agree with where its legs are; ours do: front is +x, left is +y
_ANT_LEGS = {
    "front_left": ("aux_1", "left_ankle_geom", "1"),
    "front_right": ("aux_4", "fourth_ankle_geom", "4"),
    "back_left": ("aux_2", "right_ankle_geom", "2"),
    "back_right": ("aux_3", "third_ankle_geom", "3"),
}

_ANT = Robot(
    parts=(
        _body("torso", "torso", "round body; at rest upright, front is +x and left is +y"),
        *(
            part
            for leg, (thigh, shin, _) in _ANT_LEGS.items()
            for words in [leg.replace("_", " ")]
            for part in (
                _body(f"{leg}_thigh", thigh, f"{words} upper leg; its position is the hip joint"),
                _foot(f"{leg}_foot", shin, f"{words} lower leg; its position is the foot's tip", "end"),
            )
        ),
    ),
    joints={
        f"{joint}_{number}": f"{leg}_{joint}" for leg, (_, _, number) in _ANT_LEGS.items() for joint in ("hip", "ankle")
    },
    root="torso",
    floor="floor",
    view=(3.5, 135, -35),
)

_SIDES = ("right", "left")

_HUMANOID = Robot(
    parts=(
        _body("torso", "torso", "upper trunk, head included; its position is the chest"),
        _point("head", "the head; its position is its middle", geom="head"),
        _body("lower_waist", "lwaist", "lower waist"),
        _body("pelvis", "pelvis", "pelvis"),
        *(
            part
            for side in _SIDES
            for part in (
                _body(f"{side}_thigh", f"{side}_thigh", f"{side} upper leg; its position is the hip joint"),
                _body(f"{side}_shin", f"{side}_shin", f"{side} lower leg; its position is just above the knee joint"),
                _foot(f"{side}_foot", f"{side}_foot", f"{side} foot; its position is its middle"),
            )
        ),
        *(
            part
            for side in _SIDES
            for part in (
                _body(f"{side}_upper_arm", f"{side}_upper_arm", f"{side} upper arm; its position is the shoulder"),
                _body(
                    f"{side}_lower_arm",
                    f"{side}_lower_arm",
                    f"{side} lower arm and hand; its position is the elbow",
                ),
            )
        ),
        _point("right_hand", "right hand; its position is its middle", geom="right_hand"),
        _point("left_hand", "left hand; its position is its middle", geom="left_hand"),
    ),
    joints={name: name for name in ("abdomen_z", "abdomen_y", "abdomen_x")}
    | {
        f"{side}_{name}": f"{side}_{ours}"
        for side in _SIDES
        for name, ours in {
            "hip_x": "hip_x",
            "hip_z": "hip_z",
            "hip_y": "hip_y",
            "knee": "knee",
            "shoulder1": "shoulder_1",
            "shoulder2": "shoulder_2",
            "elbow": "elbow",
        }.items()
    },
    root="torso",
    floor="floor",
)

_SWIMMER = Robot(
    parts=(
        _body("front", "torso", "first link, which reaches from 0.5 m to 1.5 m ahead of its position"),
        _body("middle", "mid", "middle link; its position is the joint with the front link"),
        _body("back", "back", "last link; its position is the joint with the middle link"),
    ),
    joints={
        "slider1": "root_x",
        "slider2": "root_y",
        "free_body_rot": "root_yaw",
        "motor1_rot": "front_joint",
        "motor2_rot": "back_joint",
    },
    root="torso",
)

_REACHER = Robot(
    parts=(
        _body("upper_arm", "body0", "first link; its position is the shoulder"),
        _body("lower_arm", "body1", "second link; its position is the elbow"),
        _body("fingertip", "fingertip", "end of the arm"),
        _body("target", "target", "the place to reach; it never moves in an episode"),
    ),
    joints={"joint0": "shoulder", "joint1": "elbow"},
    root="body0",
    centre_of_mass=False,
    view=(0.9, 90, -75),
)

_PUSHER = Robot(
    parts=(
        _body("shoulder", "r_shoulder_lift_link", "shoulder of the arm"),
        _body("upper_arm", "r_upper_arm_link", "upper arm; its position is the shoulder"),
        _body("forearm", "r_forearm_link", "forearm; its position is the elbow"),
        _body("fingertip", "tips_arm", "hand with two fingers 0.1 m long; its position is the wrist"),
        _body("object", "object", "the cylinder to push, of radius 0.05 m"),
        _body("goal", "goal", "the place the object belongs; it never moves in an episode"),
    ),
    joints={
        f"r_{name}_joint": name
        for name in (
            "shoulder_pan",
            "shoulder_lift",
            "upper_arm_roll",
            "elbow_flex",
            "forearm_roll",
            "wrist_flex",
            "wrist_roll",
        )
    },
    root="r_shoulder_pan_link",
    centre_of_mass=False,
    view=(2.4, 150, -35),
)

_PENDULUM = Robot(
    parts=(
        _body("cart", "cart", "the cart on its rail"),
        _body("pole", "pole", "the pole; its position is the hinge on the cart"),
        _point("tip", "upper end of the pole", geom="cpole", at="end"),
    ),
    joints={"slider": "cart", "hinge": "pole"},
    root="cart",
    view=(2.5, 90, -10),
)

_DOUBLE_PENDULUM = Robot(
    parts=(
        _body("cart", "cart", "the cart on its rail"),
        _body("lower_pole", "pole", "the lower pole; its position is the hinge on the cart"),
        _body("upper_pole", "pole2", "the upper pole; its position is the hinge between the poles"),
        _point("tip", "upper end of the upper pole", site="tip"),
    ),
    joints={"slider": "cart", "hinge": "lower_pole", "hinge2": "upper_pole"},
    root="cart",
    view=(4.0, 90, -10),
)

ROBOTS: dict[str, Robot] = {
    "Ant-v5": _ANT,
    "HalfCheetah-v5": _CHEETAH,
    "Hopper-v5": _HOPPER,
    "Humanoid-v5": _HUMANOID,
    "HumanoidStandup-v5": _HUMANOID,
    "InvertedDoublePendulum-v5": _DOUBLE_PENDULUM,
    "InvertedPendulum-v5": _PENDULUM,
    "Pusher-v5": _PUSHER,
    "Reacher-v5": _REACHER,
    "Swimmer-v5": _SWIMMER,
    "Walker2d-v5": _WALKER,
}

"""What a person would call the parts of Meta-World's scenes. Names and words only: all numbers come from the models.

A scene is the robot, the same in all, and what stands on the table. `observed` is a point that Meta-World itself puts
into observations and measures success by; the other points, objects and fixtures are named as the model names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Part:
    """A thing of the scene that the state schema tells of; one of `observed`, `site`, `geom` and `body` says where."""

    name: str
    doc: str
    kind: Literal["Point", "Object", "Fixture"]
    """A point has a position and a velocity; an object, which moves freely, an orientation and a spin besides; a
    fixture stays where it is for an episode and has a position alone."""
    body: str = ""
    """The model's body that it is, or that it belongs to where `observed` says which point of it; one without a name
    goes by its joint's."""
    site: str = ""
    geom: str = ""
    observed: int | None = None
    """Of which observed point, 0 or 1."""


@dataclass(frozen=True)
class Scene:
    """Names for one environment."""

    parts: tuple[Part, ...]
    joints: tuple[tuple[str, str, str], ...] = ()
    """The model's joint (or its body, where the joint has no name), our name, and what it is."""


def _observed(name: str, doc: str, body: str, index: int = 0) -> Part:
    return Part(name, doc, "Point", body=body, observed=index)


def _object(name: str, doc: str, body: str) -> Part:
    return Part(name, doc, "Object", body=body)


def _point(name: str, doc: str, *, site: str = "", geom: str = "") -> Part:
    return Part(name, doc, "Point", site=site, geom=geom)


def _fixture(name: str, doc: str, *, body: str = "", site: str = "") -> Part:
    return Part(name, f"{doc}; it never moves in an episode", "Fixture", body=body, site=site)


ROBOT: tuple[Part, ...] = (
    Part("hand", "the wrist that actions move; the gripper hangs below it", "Point", body="hand"),
    Part("left_pad", "the pad of the finger on the +y side", "Point", body="leftpad"),
    Part("right_pad", "the pad of the finger on the -y side", "Point", body="rightpad"),
)

_CUBE = _object("object", "the block or cylinder on the table; its position is its middle", "obj")
_WALL = _fixture("wall", "the wall that stands in the way", body="wall")
_MUG = _object("mug", "the mug; its position is the middle of its bottom", "obj")
_MACHINE = _fixture("machine", "the coffee machine", body="coffee_machine")

_MACHINE_JOINT = (("goal_slidey", "button", "how far the machine's button is pressed: 0 when it is all out"),)

_DRAWER_JOINT = (("goal_slidey", "drawer", "the drawer on its rails: 0 when closed, negative when pulled out"),)
_DRAWER = Scene((_observed("handle", "the front of the drawer's handle", "drawer_link"),), _DRAWER_JOINT)
_DRAWER_FROM_ABOVE = Scene(
    (_observed("handle", "a point 0.05 m above the front of the drawer's handle", "drawer_link"),), _DRAWER_JOINT
)
_WINDOW = Scene(
    (_observed("handle", "the upright handle of the window's sliding pane", "windowb_a"),),
    (("window_slide", "window", "the pane in its frame: 0 when closed, positive when open"),),
)
_BUTTON = Scene(
    (_observed("button", "the middle of the button's face", "button"),),
    (("btnbox_joint", "button", "how far the button is out: 0 when it is all out, negative when pressed"),),
)
_DOOR = Scene(
    (_observed("handle", "the door's handle", "door_link"),),
    (("doorjoint", "door", "the door on its hinge: 0 when closed, negative when open"),),
)
_LOCK = Scene(
    (
        _observed("lock", "the tip of the lock's lever", "lock_link"),
        _fixture("lock_axis", "where the lock's lever is hinged to the door", body="lock_link"),
    ),
    (
        (
            "lock_link",
            "lock",
            "the lock's lever on its hinge: 0 when unlocked, it points to the right; locked, it points down",
        ),
    ),
)
_HANDLE_JOINT = (("handle_link", "handle", "the handle on its post: 0 at the top, negative when pressed down"),)
_HANDLE = Scene((_observed("handle", "the handle that goes up and down its post", "handle_link"),), _HANDLE_JOINT)
_FAUCET = Scene(
    (_observed("handle", "the end of the faucet's handle", "faucet_link2"),),
    (("knob_Joint_1", "faucet", "the faucet's handle on its axis: 0 in the middle"),),
)
_NUT = Scene(
    (
        _object("nut", "the round nut with its handle; its position is the middle of the ring", "RoundNut"),
        _observed("nut_handle", "the handle of the nut", "RoundNut"),
        _fixture("peg", "the top of the peg", site="pegTop"),
    )
)
_PUCK = Scene(
    (
        _observed("puck", "the middle of the puck", "goal_slidex"),
        _fixture("net", "the puck's goal", body="puck_goal"),
    ),
    (("goal_slidex", "puck_x", "the puck along x"), ("goal_slidey", "puck_y", "the puck along y")),
)
_STICK_PARTS = (
    _object("stick", "the stick; its position is its middle", "stick"),
    _point("stick_end", "the end of the stick that goes into the thermos's handle", site="stick_end"),
)
_THERMOS_JOINTS = (
    ("obj_slidex", "thermos_x", "the thermos along x"),
    ("obj_slidey", "thermos_y", "the thermos along y"),
)
_INSERTION = "the opening in the thermos's handle"
_BLOCK = Scene((_CUBE,))
_BLOCK_AND_WALL = Scene((_CUBE, _WALL))

SCENES: dict[str, Scene] = {
    "assembly-v3": _NUT,
    "basketball-v3": Scene(
        (
            _object("ball", "the basketball; its position is its middle", "bsktball"),
            _fixture("hoop", "the hoop", body="hooplink"),
        )
    ),
    "bin-picking-v3": Scene(
        (
            _CUBE,
            _fixture("first_bin", "the bin that the object lies in", body="bin_start"),
            _fixture("second_bin", "the bin that it belongs in", body="bin_goal"),
        )
    ),
    "box-close-v3": Scene(
        (
            _object("lid", "the lid of the box", "boxbodytop"),
            _observed("lid_handle", "the handle on the lid", "top_link"),
            _fixture("box", "the box without its lid", body="boxbody"),
        )
    ),
    "button-press-topdown-v3": _BUTTON,
    "button-press-topdown-wall-v3": Scene((*_BUTTON.parts, _WALL), _BUTTON.joints),
    "button-press-v3": _BUTTON,
    "button-press-wall-v3": Scene((*_BUTTON.parts, _WALL), _BUTTON.joints),
    "coffee-button-v3": Scene(
        (_observed("button", "the middle of the coffee machine's button", "cmbutton"), _MUG, _MACHINE),
        _MACHINE_JOINT,
    ),
    "coffee-pull-v3": Scene((_MUG, _MACHINE), _MACHINE_JOINT),
    "coffee-push-v3": Scene((_MUG, _MACHINE), _MACHINE_JOINT),
    "dial-turn-v3": Scene(
        (_observed("dial", "a point on the rim of the dial, which turns with it", "knob_Joint_1"),),
        (("knob_Joint_1", "dial", "the dial on its axis"),),
    ),
    "disassemble-v3": _NUT,
    "door-close-v3": _DOOR,
    "door-lock-v3": _LOCK,
    "door-open-v3": _DOOR,
    "door-unlock-v3": _LOCK,
    "drawer-close-v3": _DRAWER_FROM_ABOVE,
    "drawer-open-v3": _DRAWER,
    "faucet-close-v3": _FAUCET,
    "faucet-open-v3": _FAUCET,
    "hammer-v3": Scene(
        (
            _object("hammer", "the hammer; its position is the middle of its handle", "hammerbody"),
            _point("hammer_head", "the head of the hammer", geom="HammerHead"),
            _observed("nail", "the head of the nail", "nail_link", 1),
        ),
        (("NailSlideJoint", "nail", "how far the nail is in: 0 when it is all out"),),
    ),
    "hand-insert-v3": _BLOCK,
    "handle-press-side-v3": _HANDLE,
    "handle-press-v3": _HANDLE,
    "handle-pull-side-v3": _HANDLE,
    "handle-pull-v3": _HANDLE,
    "lever-pull-v3": Scene(
        (_observed("lever", "the end of the lever", "LeverAxis"),), (("LeverAxis", "lever", "the lever on its axis"),)
    ),
    "peg-insert-side-v3": Scene(
        (
            _object("peg", "the peg; its position is its middle", "peg"),
            _observed("peg_grasp", "where the peg is to be held", "peg"),
            _point("peg_head", "the end of the peg that goes into the hole", site="pegHead"),
            _fixture("hole", "the hole", site="hole"),
        )
    ),
    "peg-unplug-side-v3": Scene(
        (
            _object("plug", "the plug; its position is its middle", "plug1"),
            _observed("plug_end", "the end of the plug that sticks out", "plug"),
            _fixture("hole", "the hole that it is in", site="hole"),
        )
    ),
    "pick-out-of-hole-v3": _BLOCK,
    "pick-place-v3": _BLOCK,
    "pick-place-wall-v3": _BLOCK_AND_WALL,
    "plate-slide-back-side-v3": _PUCK,
    "plate-slide-back-v3": _PUCK,
    "plate-slide-side-v3": _PUCK,
    "plate-slide-v3": _PUCK,
    "push-back-v3": _BLOCK,
    "push-v3": _BLOCK,
    "push-wall-v3": _BLOCK_AND_WALL,
    "reach-v3": _BLOCK,
    "reach-wall-v3": _BLOCK_AND_WALL,
    "shelf-place-v3": Scene((_CUBE, _fixture("shelf", "the shelf", body="shelf"))),
    "soccer-v3": Scene(
        (
            _object("ball", "the ball; its position is its middle", "soccer_ball"),
            _fixture("net", "the soccer goal", body="goal_whole"),
        )
    ),
    "stick-pull-v3": Scene((*_STICK_PARTS, _observed("thermos_handle", _INSERTION, "obj_slidex", 1)), _THERMOS_JOINTS),
    "stick-push-v3": Scene(
        (
            *_STICK_PARTS,
            _observed("thermos", "the middle of the thermos, which the stick is to push", "obj_slidex", 1),
            _point("thermos_handle", _INSERTION, site="insertion"),
        ),
        _THERMOS_JOINTS,
    ),
    "sweep-into-v3": _BLOCK,
    "sweep-v3": _BLOCK,
    "window-close-v3": _WINDOW,
    "window-open-v3": _WINDOW,
}

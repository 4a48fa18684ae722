"""What the parts of the hand and of its scenes are called."""

from __future__ import annotations

from reward_agent.envs.dexterous.hand import SERVOS
from reward_agent.envs.mujoco.names import Part, Robot

TIPS = ("first_fingertip", "middle_fingertip", "ring_fingertip", "little_fingertip", "thumb_tip")
"""In the order of the sites `S_fftip`, `S_mftip`, `S_rftip`, `S_lftip`, `S_thtip`."""

_JOINTS = {servo.joint: servo.joint for servo in SERVOS}
_SITES = ("S_fftip", "S_mftip", "S_rftip", "S_lftip", "S_thtip")


def _words(tip: str) -> str:
    digit = tip.removesuffix("_fingertip").removesuffix("_tip")
    return digit if digit == "thumb" else f"{digit} finger"


_HAND = (
    Part(
        "palm",
        "the point 4 cm off the palm where things are held; its own z axis points along the fingers, its y axis out of "
        "the back of the hand, its x axis to the thumb's side",
        site="S_grasp",
    ),
    *(
        Part(tip, f"5 mm inside the end of the {_words(tip)}", site=site, kind="Point")
        for tip, site in zip(TIPS, _SITES, strict=True)
    ),
)


def _robot(parts: tuple[Part, ...], joint: str = "") -> Robot:
    joints = _JOINTS | ({joint: joint} if joint else {})
    return Robot((*_HAND, *parts), joints, root="palm", centre_of_mass=False, view=(0.9, 160.0, -20.0))


ROBOTS: dict[str, Robot] = {
    "table": _robot(
        (
            Part("box", "a free box; its position is its middle, its own z axis points out of its red lid", body="box"),
            Part("apple", "a free ball; its position is its middle", body="apple"),
        )
    ),
    "faucet": _robot((Part("faucet_handle", "the end of the lever", site="faucet_handle", kind="Point"),), "faucet"),
    "drawer": _robot(
        (Part("drawer_handle", "the middle of the level bar", site="drawer_handle", kind="Point"),), "drawer"
    ),
}
"""By scene."""

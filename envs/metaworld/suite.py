"""The thirty-nine environments beside the eleven that have cards: an instruction each, and what of it is graded."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from reward_agent.envs.metaworld.setting import metaworld_task
from reward_agent.task import Task


class _Line(NamedTuple):
    env: str
    family: str
    measured: tuple[str, str] | None
    """Part and axes of `metrics.progress`; None where the goal is no place that a part should come to."""
    instruction: str


_LINES = (
    _Line("assembly-v3", "nut", ("nut", "xyz"), "lift the nut by its handle and put its ring over the peg"),
    _Line("basketball-v3", "basketball", ("ball", "xyz"), "pick up the basketball and drop it into the hoop"),
    _Line("bin-picking-v3", "bin", ("object", "xyz"), "take the object out of its bin and put it into the other bin"),
    _Line("box-close-v3", "box", ("lid_handle", "xyz"), "pick up the lid by its handle and put it on the box"),
    _Line("button-press-topdown-v3", "button", ("button", "z"), "push the button on top of the box all the way down"),
    _Line(
        "button-press-topdown-wall-v3",
        "button",
        ("button", "z"),
        "reach over the wall and push the button on top of the box all the way down",
    ),
    _Line("button-press-wall-v3", "button", ("button", "y"), "reach past the wall and push the button all the way in"),
    _Line("coffee-button-v3", "button", ("button", "y"), "push the button of the coffee machine"),
    _Line("coffee-pull-v3", "mug", ("mug", "xyz"), "pull the mug away from the coffee machine, to the goal"),
    _Line("coffee-push-v3", "mug", ("mug", "xyz"), "push the mug to its place under the coffee machine"),
    _Line("dial-turn-v3", "dial", ("dial", "xyz"), "turn the dial by half a turn"),
    _Line("disassemble-v3", "nut", None, "lift the nut by its handle off the peg"),
    _Line("door-lock-v3", "lock", ("lock", "z"), "lock the door: turn the lever of its lock down"),
    _Line("door-open-v3", "door", ("handle", "x"), "open the door by its handle"),
    _Line("faucet-close-v3", "faucet", ("handle", "xyz"), "turn the faucet's handle to the left, to the goal"),
    _Line("faucet-open-v3", "faucet", ("handle", "xyz"), "turn the faucet's handle to the right, to the goal"),
    _Line("hammer-v3", "hammer", ("nail", "y"), "pick up the hammer and drive the nail into the wall with its head"),
    _Line("hand-insert-v3", "hole", ("object", "xyz"), "take the object into the hole in the table"),
    _Line(
        "handle-pull-side-v3", "handle", ("handle", "z"), "pull the handle, which sticks out sideways, up to the goal"
    ),
    _Line("lever-pull-v3", "lever", ("lever", "xyz"), "raise the lever until it points up"),
    _Line(
        "peg-insert-side-v3",
        "peg",
        ("peg_head", "xyz"),
        "pick up the peg and put it into the hole in the side of the box",
    ),
    _Line("peg-unplug-side-v3", "peg", ("plug_end", "xyz"), "pull the plug out of its hole, to the right"),
    _Line("pick-out-of-hole-v3", "pick", ("object", "xyz"), "lift the object out of the hole and hold it at the goal"),
    _Line("pick-place-v3", "pick", ("object", "xyz"), "pick up the object and hold it at the goal"),
    _Line(
        "pick-place-wall-v3",
        "pick",
        ("object", "xyz"),
        "pick up the object, lift it over the wall and hold it at the goal",
    ),
    _Line(
        "plate-slide-back-side-v3", "puck", ("puck", "xy"), "slide the puck out of the net, to the right, to the goal"
    ),
    _Line("plate-slide-back-v3", "puck", ("puck", "xy"), "slide the puck out of the net, towards the arm, to the goal"),
    _Line("plate-slide-side-v3", "puck", ("puck", "xy"), "slide the puck to the left into the net"),
    _Line("plate-slide-v3", "puck", ("puck", "xy"), "slide the puck ahead into the net"),
    _Line("push-back-v3", "push", ("object", "xyz"), "drag the object towards the arm, to the goal"),
    _Line("push-v3", "push", ("object", "xyz"), "push the object to the goal"),
    _Line("push-wall-v3", "push", ("object", "xyz"), "push the object around the wall to the goal"),
    _Line("reach-v3", "reach", ("gripper", "xyz"), "bring the gripper to the goal and hold it there"),
    _Line(
        "reach-wall-v3", "reach", ("gripper", "xyz"), "bring the gripper past the wall to the goal and hold it there"
    ),
    _Line("shelf-place-v3", "shelf", ("object", "xyz"), "pick up the object and put it on the shelf"),
    _Line("soccer-v3", "soccer", ("ball", "xy"), "push the ball into the soccer goal"),
    _Line(
        "stick-pull-v3",
        "stick",
        ("thermos_handle", "xy"),
        "pick up the stick, put it through the handle of the thermos and pull the thermos to the goal",
    ),
    _Line("stick-push-v3", "stick", ("thermos", "xyz"), "pick up the stick and push the thermos to the goal with it"),
    _Line("sweep-v3", "sweep", ("object", "xyz"), "sweep the object over the table to the right, to the goal"),
)


def others(carded: Container[str]) -> dict[str, Task]:
    """Tasks by id, but for those that have cards."""
    made = [metaworld_task(line.env, line.instruction, measured=line.measured, family=line.family) for line in _LINES]
    return {task.id: task for task in made if task.id not in carded}

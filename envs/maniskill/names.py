"""Words for what ManiSkill's scenes hold: what a thing is called and what it is. What there is, the scene says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reward_agent.errors import unknown_name

TABLE = "table-workspace"
SURROUNDINGS = frozenset({TABLE, "ground"})
"""Actors that are no thing of the task. The table's top is at z = 0."""


@dataclass(frozen=True)
class Thing:
    """An actor, in words."""

    doc: str
    name: str = ""
    """The simulator's, in snake case, unless given."""
    point: bool = False
    """How it is turned means nothing."""


@dataclass(frozen=True)
class Told:
    """A quantity that the environment keeps as an attribute of its own.

    What it holds says what becomes of it: a pose, a link and a number are told apart where they are read.
    """

    attribute: str
    """Dotted, from the environment; a function is called."""
    path: str
    """Of the field; of the entity where it is a pose or a link."""
    doc: str
    unit: str = ""
    flag: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class Number:
    """A number of the environment's that never changes."""

    attribute: str
    name: str
    doc: str
    unit: str = "m"


@dataclass(frozen=True)
class Scene:
    """Words for one environment, and what is peculiar about it."""

    things: Mapping[str, Thing] = field(default_factory=dict)
    """By the simulator's name of the actor."""
    told: tuple[Told, ...] = ()
    numbers: tuple[Number, ...] = ()
    grasps: Mapping[str, str] = field(default_factory=dict)
    """By the name of an actor, what `evaluate()` calls the hand's grasp of it: the same number, computed already."""
    grasp_angle: float = 85.0
    """Greatest angle between a finger's force and its closing direction that counts as grasping [degrees]."""
    latch: bool = False
    """Its own dense reward is computed at every step, for it keeps what a field tells."""
    drawn: bool = False
    """It cannot be built without a renderer."""


_GOAL_DISC = Thing("the disc on the table that is the goal", name="goal", point=True)
_PEG = Thing("a square peg; its own x axis runs along it")

SCENES: Mapping[str, Scene] = {
    "PickCube-v1": Scene(
        things={
            "cube": Thing("the cube to pick up"),
            "goal_site": Thing("where the cube shall be", name="goal", point=True),
        },
        numbers=(Number("goal_thresh", "goal_radius", "how near the goal the cube must be"),),
        grasps={"cube": "is_grasped"},
    ),
    "StackCube-v1": Scene(
        things={"cubeA": Thing("the red cube, to be stacked"), "cubeB": Thing("the green cube, to be stacked on")},
        grasps={"cubeA": "is_cubeA_grasped"},
    ),
    "PushCube-v1": Scene(
        things={"cube": Thing("the cube to push"), "goal_region": _GOAL_DISC},
        numbers=(Number("goal_radius", "goal_radius", "of the disc"),),
    ),
    "PullCube-v1": Scene(
        things={"cube": Thing("the cube to pull"), "goal_region": _GOAL_DISC},
        numbers=(Number("goal_radius", "goal_radius", "of the disc"),),
    ),
    "PullCubeTool-v1": Scene(
        things={
            "cube": Thing("the cube to pull, out of the hand's reach"),
            "l_shape_tool": Thing(
                "an L-shaped tool: its origin is at the handle's end, the handle runs along its own +x, the hook at "
                "the far end points along its own +y",
                name="tool",
            ),
        },
        numbers=(
            Number("handle_length", "handle_length", "of the tool's handle"),
            Number("hook_length", "hook_length", "of the tool's hook along the handle"),
            Number("arm_reach", "arm_reach", "x as far as which the hand reaches"),
        ),
        grasp_angle=20.0,
    ),
    "PokeCube-v1": Scene(
        things={"cube": Thing("the cube to poke"), "peg": _PEG, "goal_region": _GOAL_DISC},
        told=(Told("peg_head_pose", "peg_head", "the middle of the peg's front face, at its +x end"),),
        numbers=(
            Number("goal_radius", "goal_radius", "of the disc"),
            Number("peg_half_length", "peg_half_length", "of the peg"),
        ),
        grasps={"peg": "is_peg_grasped"},
    ),
    "LiftPegUpright-v1": Scene(
        things={"peg": _PEG},
        numbers=(
            Number("peg_half_length", "peg_half_length", "of the peg"),
            Number("peg_half_width", "peg_half_width", "of the peg"),
        ),
    ),
    "PegInsertionSide-v1": Scene(
        things={
            "peg": Thing("a square peg; its own x axis runs along it, the head at +x goes in first"),
            "box_with_hole": Thing("the box with a hole through it along its own x axis", name="box"),
        },
        told=(
            Told("peg_head_pose", "peg_head", "the middle of the peg's head face"),
            Told("box_hole_pose", "hole", "the middle of the hole; its own x axis runs through it"),
            Told("box_hole_radii", "hole.radius", "half the side of the square hole", "m"),
            Told("goal_pose", "goal", "where the peg is when its head is at the hole's middle"),
        ),
        grasp_angle=20.0,
    ),
    "PlugCharger-v1": Scene(
        things={
            "charger": Thing("the charger, its two prongs along its own +x"),
            "receptacle": Thing("the receptacle, upright, with two slots in its face"),
        },
        told=(Told("goal_pose", "goal", "where the charger is when plugged in"),),
    ),
    "PushT-v1": Scene(
        things={
            "Tee": Thing("the T-shaped block; its origin is the middle of its area"),
            "goal_Tee": Thing("where the block shall lie"),
            "goal_ee": Thing("where the stick starts", name="stick_start", point=True),
        },
        told=(
            Told(
                "pseudo_render_intersection", "evaluation.coverage", "share of the goal that the T covers", hidden=True
            ),
        ),
        drawn=True,
    ),
    "RollBall-v1": Scene(
        things={"ball": Thing("the ball to roll"), "goal_region": _GOAL_DISC},
        told=(
            Told(
                "reached_status",
                "ball.hand_was_behind",
                "since reset the hand was once within 4 cm of the point 5 cm behind the ball, away from the goal",
                flag=True,
            ),
        ),
        numbers=(Number("goal_radius", "goal_radius", "of the disc"),),
        latch=True,
    ),
    "PlaceSphere-v1": Scene(
        things={"sphere": Thing("the sphere to place"), "bin": Thing("the shallow square bin, open above")},
        numbers=(Number("short_side_half_size", "bin_half_thickness", "half the thickness of its floor and walls"),),
        grasps={"sphere": "is_obj_grasped"},
    ),
    "TurnFaucet-v1": Scene(
        told=(
            Told("target_switch_link", "switch", "the handle of the faucet to turn"),
            Told("current_angle", "switch.angle", "how far it is turned", "rad"),
            Told("target_switch_link.joint.qvel", "switch.velocity", "rate of that angle", "rad/s"),
            Told("target_angle", "switch.goal_angle", "the angle that it must pass", "rad"),
            Told("target_joint_axis", "switch.axis", "the axis it turns about, of length 1"),
            Told("target_link_pos", "switch.center", "its centre of mass at reset", "m"),
        ),
        drawn=True,
    ),
    **{
        f"OpenCabinet{part}-v1": Scene(
            things={"handle_link_goal": Thing("the middle of the handle", name="handle", point=True)},
            told=(
                Told("handle_link", part.lower(), f"the {part.lower()} to open"),
                Told("handle_link.joint.qpos", f"{part.lower()}.opening", "how far it is open", unit),
                Told("handle_link.joint.qvel", f"{part.lower()}.opening_rate", "rate of that", f"{unit}/s"),
                Told("target_qpos", f"{part.lower()}.goal_opening", "how far it must be opened", unit),
            ),
            drawn=True,
        )
        for part, unit in (("Drawer", "m"), ("Door", "rad"))
    },
}
"""By environment; any other one is told in the simulator's own words."""

ROBOTS: Mapping[str, str] = {
    "panda": "a seven-joint Franka arm with a two-finger hand, fixed to a table",
    "panda_wristcam": "a seven-joint Franka arm with a two-finger hand, fixed to a table",
    "panda_stick": "a seven-joint Franka arm that holds a stick, fixed to a table",
    "fetch": "a Fetch robot: a wheeled base, a torso that lifts, a head, a seven-joint arm with a two-finger hand",
}

_MOVED = "by up to 0.1 m at 1 along the axes of the robot's base"
_TURNED = "and turn it, by up to 0.1 rad at 1"
CONTROL_MODES: Mapping[str, str] = {
    "pd_joint_delta_pos": "actions move each joint from where it is, by up to 0.1 rad at 1",
    "pd_joint_target_delta_pos": "actions move each joint's target, by up to 0.1 rad at 1",
    "pd_joint_pos": "actions are the joints' target angles",
    "pd_joint_vel": "actions are the joints' target velocities, 1 rad/s at 1",
    "pd_ee_delta_pos": f"actions move the hand from where it is, {_MOVED}",
    "pd_ee_delta_pose": f"actions move the hand from where it is, {_MOVED}, {_TURNED}",
    "pd_ee_target_delta_pos": f"actions move the hand's target, {_MOVED}",
    "pd_ee_target_delta_pose": f"actions move the hand's target, {_MOVED}, {_TURNED}",
    "pd_ee_pose": "actions are the hand's target position and turn, in the frame of the robot's base",
}
"""The commonest; any of the robot's own is taken."""

REST: Mapping[str, str] = {
    "panda": "the last one opens (1) or closes (-1) the fingers",
    "panda_wristcam": "the last one opens (1) or closes (-1) the fingers",
    "fetch": "then come the fingers (1 opens, -1 closes), the head, the torso, and the base's speed ahead and around",
}
"""What actions do beside moving the arm."""


def control(robot: str, mode: str) -> str:
    """What the robot is and what actions do, in one line for prompts.

    Raises:
        UsageError: there are no words for such a robot.
    """
    if robot not in ROBOTS:
        raise unknown_name("robot that this world has words for", robot, ROBOTS)
    moved = CONTROL_MODES.get(mode, f"actions go by ManiSkill's control mode {mode}")
    return "; ".join([ROBOTS[robot], moved, *([REST[robot]] if robot in REST else [])])

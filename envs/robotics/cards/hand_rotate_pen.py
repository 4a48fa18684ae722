"""Turn a pen in the hand: HandManipulatePenRotate of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_angle, success_at_end, success_once
from reward_agent.envs.robotics.scenes import SHADOW
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the pen is turned as the goal is, but for 0.1 rad, turns about its own length left out"

task = Task(
    id="robotics/hand-rotate-pen",
    instruction="turn the pen in the palm until it is oriented as the goal is, without dropping it",
    world=robotics_world("HandManipulatePenRotate-v1"),
    horizon=100,
    metrics=(success_at_end(CRITERION), final_angle("axis"), success_once(CRITERION)),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "hand_rotate_pen.py",
    reward_version=DENSE,
    control=SHADOW,
    family="hand-rotate",
    benchmark="Gymnasium-Robotics HandManipulatePenRotate-v1",
)

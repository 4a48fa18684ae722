"""Turn an egg in the hand: HandManipulateEggRotate of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_angle, success_at_end, success_once
from reward_agent.envs.robotics.scenes import SHADOW
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the egg is turned as the goal is, but for 0.1 rad"

task = Task(
    id="robotics/hand-rotate-egg",
    instruction="turn the egg in the palm until it is oriented as the goal is, without dropping it",
    world=robotics_world("HandManipulateEggRotate-v1"),
    horizon=100,
    metrics=(success_at_end(CRITERION), final_angle(), success_once(CRITERION)),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "hand_rotate_egg.py",
    reward_version=DENSE,
    control=SHADOW,
    family="hand-rotate",
    benchmark="Gymnasium-Robotics HandManipulateEggRotate-v1",
)

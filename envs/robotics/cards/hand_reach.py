"""Bring fingertips to places: HandReach of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_reach, success_at_end, success_once
from reward_agent.envs.robotics.scenes import SHADOW
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

TIPS = ("first_fingertip", "middle_fingertip", "ring_fingertip", "little_fingertip", "thumb_tip")
CRITERION = "the five tips are within 1 cm of their goals, all distances taken together"

task = Task(
    id="robotics/hand-reach",
    instruction="bring the five fingertips to their goals, where mostly the thumb and one finger meet",
    world=robotics_world("HandReach-v3"),
    horizon=50,
    metrics=(
        success_at_end(CRITERION),
        final_reach({tip + ".position": f"goal.{tip}" for tip in TIPS}),
        success_once(CRITERION),
    ),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "hand_reach.py",
    reward_version=DENSE,
    control=SHADOW,
    benchmark="Gymnasium-Robotics HandReach-v3",
)

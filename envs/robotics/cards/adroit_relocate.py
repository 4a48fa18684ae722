"""Carry a ball to a place in the air: AdroitHandRelocate of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_distance, success_held, success_once
from reward_agent.envs.robotics.scenes import ADROIT
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the ball is within 10 cm of the target"

task = Task(
    id="robotics/adroit-relocate",
    instruction="pick up the ball, carry it to the target in the air and hold it there",
    world=robotics_world("AdroitHandRelocate-v1"),
    horizon=200,
    metrics=(success_held(CRITERION, 25), final_distance("ball", "target"), success_once(CRITERION)),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "adroit_relocate.py",
    reward_version=DENSE,
    control=ADROIT,
    benchmark="Gymnasium-Robotics AdroitHandRelocate-v1",
)

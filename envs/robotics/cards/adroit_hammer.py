"""Drive a nail into a board: AdroitHandHammer of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import success_held, success_once, work_left
from reward_agent.envs.robotics.scenes import ADROIT
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the nail's head is within 1 cm of its place"

task = Task(
    id="robotics/adroit-hammer",
    instruction="pick up the hammer and drive the nail all the way into the board",
    world=robotics_world("AdroitHandHammer-v1"),
    horizon=200,
    metrics=(success_held(CRITERION, 25), work_left(), success_once(CRITERION)),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "adroit_hammer.py",
    reward_version=DENSE,
    control=ADROIT,
    benchmark="Gymnasium-Robotics AdroitHandHammer-v1",
)

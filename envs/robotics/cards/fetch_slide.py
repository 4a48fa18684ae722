"""Hit a puck so that it stops at a place out of reach: FetchSlide of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_distance, success_at_end, success_once
from reward_agent.envs.robotics.scenes import FETCH
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the puck is within 5 cm of the goal"

task = Task(
    id="robotics/fetch-slide",
    instruction="hit the puck so that it slides to the goal position, which is out of the arm's reach, and stops there",
    world=robotics_world("FetchSlide-v4"),
    horizon=50,
    metrics=(success_at_end(CRITERION), final_distance("object", "goal"), success_once(CRITERION)),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "fetch_slide.py",
    reward_version=DENSE,
    control=FETCH,
    family="fetch",
    benchmark="Gymnasium-Robotics FetchSlide-v4",
)

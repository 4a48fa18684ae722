"""Take a cube to a place on or above the table: FetchPickAndPlace of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_distance, success_at_end, success_once
from reward_agent.envs.robotics.scenes import FETCH_GRASPING
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the cube is within 5 cm of the goal"

task = Task(
    id="robotics/fetch-pick-and-place",
    instruction="grasp the cube, carry it to the goal position, on the table or in the air above it, and hold it there",
    world=robotics_world("FetchPickAndPlace-v4"),
    horizon=50,
    metrics=(success_at_end(CRITERION), final_distance("object", "goal"), success_once(CRITERION)),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "fetch_pick_and_place.py",
    reward_version=DENSE,
    control=FETCH_GRASPING,
    family="fetch",
    benchmark="Gymnasium-Robotics FetchPickAndPlace-v4",
)

"""Push a cube to a place on the table: FetchPush of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_distance, success_at_end, success_once
from reward_agent.envs.robotics.scenes import FETCH
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the cube is within 5 cm of the goal"

task = Task(
    id="robotics/fetch-push",
    instruction="push the cube across the table to the goal position and leave it there",
    world=robotics_world("FetchPush-v4"),
    horizon=50,
    metrics=(success_at_end(CRITERION), final_distance("object", "goal"), success_once(CRITERION)),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "fetch_push.py",
    reward_version=DENSE,
    control=FETCH,
    family="fetch",
    benchmark="Gymnasium-Robotics FetchPush-v4",
)

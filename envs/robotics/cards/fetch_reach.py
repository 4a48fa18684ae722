"""Reach a point with the gripper: FetchReach of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_distance, success_at_end, success_once
from reward_agent.envs.robotics.scenes import FETCH
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the gripper is within 5 cm of the goal"

task = Task(
    id="robotics/fetch-reach",
    instruction="move the gripper to the goal position and keep it there",
    world=robotics_world("FetchReach-v4"),
    horizon=50,
    metrics=(success_at_end(CRITERION), final_distance("gripper", "goal"), success_once(CRITERION)),
    preset="manipulation",
    budget=300_000,
    expert=Path(__file__).parents[1] / "experts" / "fetch_reach.py",
    reward_version=DENSE,
    control=FETCH,
    family="fetch",
    benchmark="Gymnasium-Robotics FetchReach-v4",
)

"""Text2Reward's ant lying down: on its belly side, legs spread, still."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics_legs import lie_fitness, lie_success
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/ant-lie-down",
    instruction="make the ant lie down within two seconds, right way up, legs spread flat, and stay still",
    world=MujocoWorld("Ant-v5"),
    horizon=100,
    metrics=(lie_success(), lie_fitness()),
    terminates="never",
    preset="posture",
    budget=300_000,
    expert=Path(__file__).parents[1] / "experts" / "ant_lie_down.py",
    control="a four-legged ant: torques at the hip and the ankle of each leg",
)

"""Text2Reward's ant waving a leg: one foot up and swinging, the others carrying it."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics_legs import wave_fitness, wave_success
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/ant-wave-leg",
    instruction="make the ant stand still on three legs, lift the fourth off the floor and wave it from side to side",
    world=MujocoWorld("Ant-v5"),
    horizon=200,
    metrics=(wave_success(), wave_fitness()),
    terminates="never",
    preset="posture",
    budget=800_000,
    expert=Path(__file__).parents[1] / "experts" / "ant_wave_leg.py",
    control="a four-legged ant: torques at the hip and the ankle of each leg",
)

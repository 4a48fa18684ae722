"""Text2Reward's hopper back flip: one full turn in the air, backwards, landed standing."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics_flips import flip_fitness, flip_success, only_foot_may_touch
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/hopper-back-flip",
    instruction="make the hopper do a back flip: a full turn backward in the air, landing upright on its foot",
    world=MujocoWorld("Hopper-v5"),
    horizon=300,
    metrics=(flip_success("back"), flip_fitness("back")),
    terminates=only_foot_may_touch(),
    preset="acrobatics",
    budget=1_200_000,
    expert=Path(__file__).parents[1] / "experts" / "hopper_back_flip.py",
    control="a one-legged hopper in a vertical plane: torques at hip, knee and ankle",
    family="hopper-flip",
)

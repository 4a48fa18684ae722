"""Text2Reward's hopper front flip: one full turn in the air, forwards, landed standing."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics_flips import flip_fitness, flip_success, only_foot_may_touch
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/hopper-front-flip",
    instruction="make the hopper do a front flip: a full turn forward in the air, landing upright on its foot",
    world=MujocoWorld("Hopper-v5"),
    horizon=300,
    metrics=(flip_success("front"), flip_fitness("front")),
    terminates=only_foot_may_touch(),
    preset="acrobatics",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "hopper_front_flip.py",
    control="a one-legged hopper in a vertical plane: torques at hip, knee and ankle",
    family="hopper-flip",
)

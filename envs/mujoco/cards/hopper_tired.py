"""A mood in a gait: no metric, people or another judge compare."""

from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/hopper-tired",
    instruction=(
        "make the hopper go forward as if it were worn out: low, slow, heavy hops, sagging after each, but "
        "never falling over"
    ),
    world=MujocoWorld("Hopper-v5"),
    horizon=600,
    metrics=(),
    preset="locomotion",
    budget=1_000_000,
    control="a one-legged hopper in a vertical plane: torques at hip, knee and ankle",
)

"""A mood in a gait: no metric, people or another judge compare."""

from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/swimmer-startled",
    instruction=(
        "make the three-link swimmer move like a startled eel: lie still at first, then dart off in one burst and glide"
    ),
    world=MujocoWorld("Swimmer-v5"),
    horizon=250,
    metrics=(),
    preset="swim",
    budget=1_000_000,
    control="a snake of three links in a thick fluid: torques at its two joints",
)

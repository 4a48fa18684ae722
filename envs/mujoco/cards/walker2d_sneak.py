"""A manner of walking: no metric, people or another judge compare."""

from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/walker2d-sneak",
    instruction=(
        "make the two-legged walker sneak forward like a burglar: crouching low, long slow steps, each foot "
        "set down softly"
    ),
    world=MujocoWorld("Walker2d-v5"),
    horizon=600,
    metrics=(),
    preset="locomotion",
    budget=1_000_000,
    control="a two-legged walker in a vertical plane: torques at hip, knee and ankle of each leg",
)

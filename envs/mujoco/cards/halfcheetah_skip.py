"""A playful gait: no metric, people or another judge compare."""

from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/halfcheetah-skip",
    instruction=(
        "make the half cheetah skip forward like a foal let out in spring: light, bouncy, playful leaps, "
        "never tumbling over"
    ),
    world=MujocoWorld("HalfCheetah-v5"),
    horizon=300,
    metrics=(),
    preset="locomotion",
    budget=1_000_000,
    control="a two-legged cheetah in a vertical plane: torques at hip, knee and ankle of each leg",
)

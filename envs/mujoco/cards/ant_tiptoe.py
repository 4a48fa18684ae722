"""A careful gait: no metric, people or another judge compare."""

from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/ant-tiptoe",
    instruction=(
        "make the ant walk forward on tiptoe, as if somebody were asleep in the room: body high and level, "
        "slow light steps"
    ),
    world=MujocoWorld("Ant-v5"),
    horizon=300,
    metrics=(),
    preset="locomotion",
    budget=1_000_000,
    control="a four-legged ant: torques at the hip and the ankle of each leg",
)

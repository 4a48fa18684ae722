"""Walk forward: Gymnasium's own goal of Ant-v5, and Text2Reward's ant moving forward."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import distance_travelled, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "ant_forward.py"

task = Task(
    id="mujoco/ant-forward",
    instruction="make the ant walk forward as fast as it can without falling over",
    world=MujocoWorld("Ant-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("torso.position",)),
        distance_travelled(),
    ),
    preset="locomotion",
    budget=2_000_000,
    expert=EXPERT,
    control="a four-legged ant: torques at the hip and the ankle of each leg",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium Ant-v5",
)

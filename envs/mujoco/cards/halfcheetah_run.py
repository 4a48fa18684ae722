"""Run forward: Gymnasium's own goal of HalfCheetah-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import distance_travelled, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "halfcheetah_run.py"

task = Task(
    id="mujoco/halfcheetah-run",
    instruction="make the half cheetah run forward as fast as it can",
    world=MujocoWorld("HalfCheetah-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("torso.position",)),
        distance_travelled(),
    ),
    preset="locomotion",
    budget=1_000_000,
    expert=EXPERT,
    control="a two-legged cheetah in a vertical plane: torques at hip, knee and ankle of each leg",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium HalfCheetah-v5",
)

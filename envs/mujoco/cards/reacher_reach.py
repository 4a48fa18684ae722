"""Reach a target: Gymnasium's own goal of Reacher-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import final_distance, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "reacher_reach.py"

task = Task(
    id="mujoco/reacher-reach",
    instruction="move the arm's fingertip to the target and keep it there",
    world=MujocoWorld("Reacher-v5"),
    horizon=50,
    metrics=(
        native_return(EXPERT, ("fingertip.position", "target.position")),
        final_distance("fingertip", "target", seconds=0.2),
    ),
    preset="manipulation",
    budget=500_000,
    expert=EXPERT,
    control="a two-joint arm in a horizontal plane: torques at both joints",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium Reacher-v5",
)

"""Balance a pole: Gymnasium's own goal of InvertedPendulum-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import native_return, time_alive
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "inverted_pendulum_balance.py"

task = Task(
    id="mujoco/inverted-pendulum-balance",
    instruction="keep the pole upright by moving the cart",
    world=MujocoWorld("InvertedPendulum-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("joints.pole.angle",)),
        time_alive(),
    ),
    preset="balance",
    budget=200_000,
    expert=EXPERT,
    control="a pole on a cart: a force on the cart",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium InvertedPendulum-v5",
)

"""Balance two poles: Gymnasium's own goal of InvertedDoublePendulum-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import native_return, time_alive
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "inverted_double_pendulum_balance.py"

task = Task(
    id="mujoco/inverted-double-pendulum-balance",
    instruction="keep both poles upright, one on top of the other, by moving the cart",
    world=MujocoWorld("InvertedDoublePendulum-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("tip.position", "joints.lower_pole.velocity", "joints.upper_pole.velocity")),
        time_alive(),
    ),
    preset="balance",
    budget=500_000,
    expert=EXPERT,
    control="two poles, one on the other, on a cart: a force on the cart",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium InvertedDoublePendulum-v5",
)

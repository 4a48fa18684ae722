"""Swim forward: Gymnasium's own goal of Swimmer-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import distance_travelled, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "swimmer_swim.py"

task = Task(
    id="mujoco/swimmer-swim",
    instruction="make the three-link swimmer swim forward, along +x, as fast as it can",
    world=MujocoWorld("Swimmer-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("front.position",)),
        distance_travelled("front"),
    ),
    preset="swim",
    budget=1_000_000,
    expert=EXPERT,
    control="a snake of three links in a thick fluid: torques at its two joints",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium Swimmer-v5",
)

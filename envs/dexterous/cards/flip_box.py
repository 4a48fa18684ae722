"""Language to Rewards' flipping an object."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import flipped
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/flip-box",
    instruction="turn the box upside down",
    world=DexterousWorld("table"),
    horizon=200,
    metrics=flipped(),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "flip_box.py",
    control=CONTROL,
)

"""Language to Rewards' lifting an object."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import lifted
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/lift-box",
    instruction="lift the box half a metre above the table",
    world=DexterousWorld("table"),
    horizon=200,
    metrics=lifted("box"),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "lift_box.py",
    control=CONTROL,
)

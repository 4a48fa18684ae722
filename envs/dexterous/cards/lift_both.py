"""Language to Rewards' lifting two objects at once."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import lifted
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/lift-both",
    instruction="lift the box and the apple half a metre above the table, both at the same time",
    world=DexterousWorld("table-together"),
    horizon=200,
    metrics=lifted("box", "apple"),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "lift_both.py",
    control=CONTROL,
)

"""Language to Rewards' setting an object upright."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import upright
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/upright-box",
    instruction="set the box upright",
    world=DexterousWorld("table-lying"),
    horizon=200,
    metrics=upright(),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "upright_box.py",
    control=CONTROL,
)

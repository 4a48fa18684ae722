"""Language to Rewards' opening a drawer."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import opened
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/open-drawer",
    instruction="open the drawer",
    world=DexterousWorld("drawer"),
    horizon=200,
    metrics=opened(),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "open_drawer.py",
    control=CONTROL,
)

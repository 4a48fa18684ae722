"""Language to Rewards' touching an object."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import touched
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/touch-box",
    instruction="touch the box",
    world=DexterousWorld("table"),
    horizon=200,
    metrics=touched(),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "touch_box.py",
    control=CONTROL,
)

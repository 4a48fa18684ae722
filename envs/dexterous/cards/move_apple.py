"""Language to Rewards' moving one object to another."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import moved
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/move-apple",
    instruction="move the apple to the box",
    world=DexterousWorld("table"),
    horizon=200,
    metrics=moved(),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "move_apple.py",
    control=CONTROL,
)

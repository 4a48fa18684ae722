"""Language to Rewards' turning on the faucet."""

from pathlib import Path

from reward_agent.envs.dexterous.metrics import turned_on
from reward_agent.envs.dexterous.world import CONTROL, DexterousWorld
from reward_agent.task import Task

task = Task(
    id="dexterous/turn-on-faucet",
    instruction="turn on the faucet",
    world=DexterousWorld("faucet"),
    horizon=200,
    metrics=turned_on(),
    terminates="never",
    optimiser="mpc",
    preset="dexterity",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "turn_on_faucet.py",
    control=CONTROL,
)

"""Language to Rewards' spinning."""

from pathlib import Path

from reward_agent.envs.quadruped.metrics import spins
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/spin",
    instruction="spin around on the spot, fast",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=spins(),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "spin.py",
    control=CONTROL,
)

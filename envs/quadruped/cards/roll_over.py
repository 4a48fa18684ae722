"""Language to Rewards' rolling over."""

from pathlib import Path

from reward_agent.envs.quadruped.metrics import rolls_over
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/roll-over",
    instruction="roll over, so that you end up on your back",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=rolls_over(),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "roll_over.py",
    control=CONTROL,
)

"""Language to Rewards' lifting one paw."""

from pathlib import Path

from reward_agent.envs.quadruped.metrics import LIFTED, lifts
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/lift-paw",
    instruction="lift your front right paw",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=lifts("front_right", LIFTED),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "lift_paw.py",
    control=CONTROL,
)

"""Language to Rewards' lifting the paw higher: told in two turns."""

from pathlib import Path

from reward_agent.envs.quadruped.metrics import LIFTED_HIGHER, lifts
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/lift-paw-higher",
    instruction="lift your front right paw",
    corrections=("now lift it much higher",),
    world=QuadrupedWorld(),
    horizon=300,
    metrics=lifts("front_right", LIFTED_HIGHER),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "lift_paw_higher.py",
    control=CONTROL,
)

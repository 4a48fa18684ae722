"""Language to Rewards' spinning with lifted paws: told in three turns."""

from pathlib import Path

from reward_agent.envs.quadruped.metrics import spins
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/spin-with-lifted-paws",
    instruction="lift your front left paw",
    corrections=(
        "good, now lift the paw diagonally opposite as well",
        "good, and now also spin around fast, with both paws up",
    ),
    world=QuadrupedWorld(),
    horizon=300,
    metrics=spins(("front_left", "back_right")),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "spin_with_lifted_paws.py",
    control=CONTROL,
)

"""Language to Rewards' standing on two feet."""

from pathlib import Path

from reward_agent.envs.quadruped.metrics import rears
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/stand-on-hind-legs",
    instruction="stand up on your two hind legs, like a human",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=rears(),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "stand_on_hind_legs.py",
    control=CONTROL,
)

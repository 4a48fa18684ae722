"""Language to Rewards' sitting down."""

from pathlib import Path

from reward_agent.envs.quadruped.metrics import sits
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/sit-down",
    instruction="sit down, low to the ground, with a level body",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=sits(),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "sit_down.py",
    control=CONTROL,
)

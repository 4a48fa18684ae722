"""A manner of walking: no metric, people or another judge compare."""

from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/limp",
    instruction="walk forward with a limp, as if your front left paw hurt",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=(),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    control=CONTROL,
)

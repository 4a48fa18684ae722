"""A gesture: no metric, people or another judge compare."""

from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/shake-dry",
    instruction="shake yourself dry, like a dog that comes out of the water, without leaving your place",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=(),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    control=CONTROL,
)

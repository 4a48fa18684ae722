"""A gesture: no metric, people or another judge compare."""

from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/play-bow",
    instruction="bow like a dog that wants to play: chest down to the ground, rump up, then bounce up again",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=(),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    control=CONTROL,
)

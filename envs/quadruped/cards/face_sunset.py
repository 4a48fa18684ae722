"""Language to Rewards' facing sunset."""

import math
from pathlib import Path

from reward_agent.envs.quadruped.metrics import faces
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/face-sunset",
    instruction="turn to where the sun sets",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=faces("west", math.pi / 2),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "face_sunset.py",
    control=CONTROL,
)

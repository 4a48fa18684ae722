"""Language to Rewards' facing sunrise."""

import math
from pathlib import Path

from reward_agent.envs.quadruped.metrics import faces
from reward_agent.envs.quadruped.world import CONTROL, QuadrupedWorld
from reward_agent.task import Task

task = Task(
    id="quadruped/face-sunrise",
    instruction="turn to where the sun rises",
    world=QuadrupedWorld(),
    horizon=300,
    metrics=faces("east", -math.pi / 2),
    terminates="never",
    optimiser="mpc",
    preset="posture",
    budget=250_000,
    expert=Path(__file__).parents[1] / "experts" / "face_sunrise.py",
    control=CONTROL,
)

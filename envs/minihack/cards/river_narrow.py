"""A narrow river that a single boulder makes a way over."""

from pathlib import Path

from reward_agent.envs.minihack.metrics import metrics
from reward_agent.envs.minihack.scenes import PUSH_CONTROL, RIVER
from reward_agent.envs.minihack.schema import WON
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.task import Task

HORIZON = 350

task = Task(
    id="minihack/river-narrow",
    instruction="push a boulder into the river, cross it there, and go down the stairs on the other side",
    world=MiniHack("River-Narrow"),
    horizon=HORIZON,
    metrics=metrics(HORIZON),
    goal=WON,
    subgoals=RIVER,
    preset="grid",
    budget=1_000_000,
    expert=Path(__file__).parents[1] / "experts" / "river.py",
    control=PUSH_CONTROL,
    benchmark="MiniHack-River-Narrow-v0",
)

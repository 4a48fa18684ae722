"""A river that only boulders make a way over."""

from pathlib import Path

from reward_agent.envs.minihack.metrics import metrics
from reward_agent.envs.minihack.scenes import PUSH_CONTROL, RIVER
from reward_agent.envs.minihack.schema import WON
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.task import Task

HORIZON = 350

task = Task(
    id="minihack/river",
    instruction="push boulders into the river until you can cross it, and go down the stairs on the other side",
    world=MiniHack("River"),
    horizon=HORIZON,
    metrics=metrics(HORIZON),
    goal=WON,
    subgoals=RIVER,
    preset="grid",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "river.py",
    control=PUSH_CONTROL,
    benchmark="MiniHack-River-v0",
)

"""Four rooms in a row, with doors between them."""

from pathlib import Path

from reward_agent.envs.minihack.metrics import metrics
from reward_agent.envs.minihack.scenes import CONTROL
from reward_agent.envs.minihack.schema import WON
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.task import Task

HORIZON = 120

task = Task(
    id="minihack/multiroom-n4",
    instruction="go through the doors from room to room, and down the stairs in the last one",
    world=MiniHack("MultiRoom-N4"),
    horizon=HORIZON,
    metrics=metrics(HORIZON),
    goal=WON,
    preset="grid",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "stairs.py",
    control=CONTROL,
    benchmark="MiniHack-MultiRoom-N4-v0",
)

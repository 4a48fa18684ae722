"""Two rooms with a door between them."""

from pathlib import Path

from reward_agent.envs.minihack.metrics import metrics
from reward_agent.envs.minihack.scenes import CONTROL
from reward_agent.envs.minihack.schema import WON
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.task import Task

HORIZON = 40

task = Task(
    id="minihack/multiroom-n2",
    instruction="go through the door into the next room and down the stairs there",
    world=MiniHack("MultiRoom-N2"),
    horizon=HORIZON,
    metrics=metrics(HORIZON),
    goal=WON,
    preset="grid",
    budget=500_000,
    expert=Path(__file__).parents[1] / "experts" / "stairs.py",
    control=CONTROL,
    benchmark="MiniHack-MultiRoom-N2-v0",
)

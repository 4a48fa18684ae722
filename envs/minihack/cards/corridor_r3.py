"""Three rooms and corridors between them; the stairs are in one of them."""

from pathlib import Path

from reward_agent.envs.minihack.metrics import metrics
from reward_agent.envs.minihack.scenes import CONTROL
from reward_agent.envs.minihack.schema import WON
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.task import Task

HORIZON = 1000

task = Task(
    id="minihack/corridor-r3",
    instruction="find the stairs down in one of three rooms that corridors join",
    world=MiniHack("Corridor-R3"),
    horizon=HORIZON,
    metrics=metrics(HORIZON),
    goal=WON,
    preset="grid",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "stairs.py",
    control=CONTROL,
    benchmark="MiniHack-Corridor-R3-v0",
)

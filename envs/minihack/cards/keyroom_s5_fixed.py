"""A key, a locked door, stairs behind it, in a room of five by five squares that is the same each time."""

from pathlib import Path

from reward_agent.envs.minihack.metrics import keyroom_metrics
from reward_agent.envs.minihack.scenes import KEY_CONTROL, KEYROOM
from reward_agent.envs.minihack.schema import WON
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.task import Task

HORIZON = 200

task = Task(
    id="minihack/keyroom-s5-fixed",
    instruction="pick up the key, unlock the door of the inner room with it, and go down the stairs in there",
    world=MiniHack("KeyRoom-Fixed-S5", level=0),
    horizon=HORIZON,
    metrics=keyroom_metrics(HORIZON),
    goal=WON,
    subgoals=KEYROOM,
    preset="grid",
    budget=200_000,
    expert=Path(__file__).parents[1] / "experts" / "keyroom.py",
    control=KEY_CONTROL,
    benchmark="MiniHack-KeyRoom-Fixed-S5-v0",
)

"""A key, a locked door, stairs behind it, in a room of fifteen by fifteen squares that is laid out anew each time."""

from pathlib import Path

from reward_agent.envs.minihack.metrics import keyroom_metrics
from reward_agent.envs.minihack.scenes import KEY_CONTROL, KEYROOM
from reward_agent.envs.minihack.schema import WON
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.task import Task

HORIZON = 400

task = Task(
    id="minihack/keyroom-s15",
    instruction="pick up the key, unlock the door of the inner room with it, and go down the stairs in there",
    world=MiniHack("KeyRoom-S15"),
    horizon=HORIZON,
    metrics=keyroom_metrics(HORIZON),
    goal=WON,
    subgoals=KEYROOM,
    preset="grid",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "keyroom.py",
    control=KEY_CONTROL,
    benchmark="MiniHack-KeyRoom-S15-v0",
)

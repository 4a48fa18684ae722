"""What every MiniGrid task has in common: the agent, MiniGrid's number of steps, metrics, and the benchmark's name."""

from __future__ import annotations

from pathlib import Path

from reward_agent.envs.minigrid.metrics import quickness, stages, success, way_made
from reward_agent.envs.minigrid.names import HORIZONS, SUCCESS
from reward_agent.envs.minigrid.world import MiniGrid
from reward_agent.subgoals import Subgoal
from reward_agent.task import Task

CONTROL = (
    "an agent in a grid of cells, x counted to the right and y down. It turns left or right on the spot, walks forward "
    "by a cell, picks up what is before it (one thing at a time), drops what it carries before it where that cell is "
    "empty, and toggles what is before it: a door opens or shuts, a locked one only to who carries the key"
)
EXPERTS = Path(__file__).parent / "experts"
_UNLOCK = (
    Subgoal("pick_up_key", "the agent picked up the key"),
    Subgoal("open_door", "the agent unlocked and opened the locked door"),
)
_PUT_DOWN = Subgoal("put_down_key", "the agent put the key down after the locked door was opened")
SUBGOALS = {
    "doorkey": _UNLOCK,
    "unlockpickup": (*_UNLOCK, _PUT_DOWN),
    "keycorridor": (*_UNLOCK, _PUT_DOWN),
}
"""By family; lava has no steps but its gaps."""


def minigrid_task(env: str, instruction: str, *, budget: int) -> Task:
    """The task `minigrid/<env>`: without the benchmark's name and the version.

    Args:
        env: as `MiniGrid-DoorKey-8x8-v0`.
        instruction: in plain language.
        budget: see `Task.budget`.
    """
    name = env.removeprefix("MiniGrid-").removesuffix("-v0")
    name = name.replace("S9", "-S9").replace("S3", "-S3").lower()
    family = name.partition("-")[0]
    horizon = HORIZONS[env]
    return Task(
        id=f"minigrid/{name}",
        instruction=instruction,
        world=MiniGrid(env),
        horizon=horizon,
        terminates="native",
        goal=SUCCESS,
        subgoals=SUBGOALS.get(family, ()),
        metrics=(success(), way_made() if family == "lavacrossing" else stages(), quickness(horizon)),
        preset="grid",
        budget=budget,
        expert=EXPERTS / f"{family}.py",
        control=CONTROL,
        family=family,
        benchmark=env,
    )

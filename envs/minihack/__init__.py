"""The `minihack` world: small levels of NetHack (Samvelyan et al., 2021), with a key, doors, rooms or a river.

`world` is the adapter, `game` plays, `glyphs` says what a square is, `scenes` what each environment has, `schema` the
fields that a reward may read, `scripted` a player by hand; `cards/` has one card a task, `experts/` rewards by hand.
"""

from __future__ import annotations

from reward_agent.envs.cards import tasks_in
from reward_agent.envs.minihack.world import missing
from reward_agent.task import Task

__all__ = ["missing", "tasks"]


def tasks() -> dict[str, Task]:
    """Every task by id, in order."""
    return tasks_in(f"{__name__}.cards")

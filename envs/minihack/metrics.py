"""How episodes of MiniHack are judged: by whether the stairs down were reached, how far it came, then how soon."""

from __future__ import annotations

import numpy as np

from reward_agent.envs.minihack.schema import WON
from reward_agent.task import Episode, Metric

COUNTS = "MiniHack's own test, at the end of the episode"


def metrics(horizon: int) -> tuple[Metric, ...]:
    """Success, and what breaks its ties; `horizon` is the task's, in turns."""

    def turns_left(episode: Episode) -> float:
        return (1 - len(episode.action) / horizon) * _won(episode)

    reached = "the agent came to the stairs down, by MiniHack's own test"
    soon = f"share of the {horizon} turns that were left when the agent came to the stairs down; 0 where it did not"
    return (
        Metric("success", "success", reached, (WON,), _won, COUNTS),
        Metric("speed", "fitness", soon, (WON,), turns_left),
    )


def keyroom_metrics(horizon: int) -> tuple[Metric, ...]:
    """The same of a key room, with how far an episode came between."""
    success, speed = metrics(horizon)
    doc = "share of three stages that the episode came to: the key picked up, the door opened, the stairs reached"
    return success, Metric("stages", "fitness", doc, ("inventory.key", "closed_door.count", WON), _stages), speed


def _won(episode: Episode) -> float:
    return float(episode.state.outcome.success[-1])


def _stages(episode: Episode) -> float:
    doors = episode.state.closed_door.count
    opened = bool((np.diff(doors) < 0).any())
    return (float(episode.state.inventory.key.any()) + opened + _won(episode)) / 3

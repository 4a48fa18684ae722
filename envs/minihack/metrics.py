"""How episodes of MiniHack are judged: by whether the stairs down were reached, then by how soon."""

from __future__ import annotations

from functools import partial

from reward_agent.envs.minihack.schema import WON
from reward_agent.task import Episode, Metric

COUNTS = "MiniHack's own test, at the end of the episode"


def metrics(horizon: int) -> tuple[Metric, Metric]:
    """Success, and what breaks its ties; `horizon` is the task's, in turns."""
    reached = "the agent came to the stairs down, by MiniHack's own test"
    soon = f"share of the {horizon} turns that were left when the agent came to the stairs down; 0 where it did not"
    return (
        Metric("success", "success", reached, (WON,), _won, COUNTS),
        Metric("speed", "fitness", soon, (WON,), partial(_speed, horizon)),
    )


def _won(episode: Episode) -> float:
    return float(episode.state.game.won[-1])


def _speed(horizon: int, episode: Episode) -> float:
    return (1 - len(episode.action) / horizon) * _won(episode)

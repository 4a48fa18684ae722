"""Can a metric judge an episode? Those of a task of one's own are tried before anything is trained on it."""

from __future__ import annotations

import math
from dataclasses import replace
from difflib import get_close_matches
from typing import cast

import numpy as np

from reward_agent.envs.registry import tasks
from reward_agent.errors import UsageError, raised
from reward_agent.scoring import no_op, play
from reward_agent.task import Episode, Metric, Task

STEPS = 64
"""Of the episode they are tried on, at most."""


def require_metrics(task: Task) -> None:
    """Have each metric, if any, score a short episode of doing nothing; those of shipped tasks are tested already.

    Raises:
        UsageError: one fails, or gives no finite number, with the line.
    """
    if not task.metrics or tasks().get(task.undisguised.id) is task.undisguised:
        return
    fields = {path for metric in task.metrics for path in metric.fields}

    def judge(index: int, episode: Episode) -> None:
        for metric in task.metrics:
            if wrong := problem(metric, episode):
                raise UsageError(
                    f"The metric {metric.name!r}, asked for the score of {len(episode.action)} steps of doing nothing, "
                    f"{wrong}. A metric gives one finite number for any episode; `reward-agent doctor --world TASK` "
                    "looks at all of them."
                )

    short = replace(task, horizon=min(task.horizon, STEPS))
    play(short, no_op(task), [0], fields, judge)


def problem(metric: Metric, episode: Episode) -> str:
    """What is wrong with the metric's score of an episode, as `gives nan`; empty where nothing is."""
    try:
        # of user code, whose annotation may be wrong
        first, second = (cast(object, metric.score(episode)) for _ in range(2))
    except Exception as error:
        return f"fails: {raised(error)}{_closest(error)}"
    if not isinstance(first, (int, float, np.integer, np.floating, np.bool_)):
        return f"gives {first!r:.80}, of type {type(first).__name__}"
    if not math.isfinite(first):
        return f"gives {first}"
    if first != second:
        return f"gives {first}, and {second} when it is asked again"
    if metric.kind == "success" and first not in (0, 1):
        return f"gives {first}, and is of kind success"
    return ""


def _closest(error: Exception) -> str:
    if not isinstance(error, AttributeError):
        return ""
    close = get_close_matches(error.name or "", dir(error.obj), n=1, cutoff=0.5)
    return f". Did you mean {close[0]!r}?" if close else ""

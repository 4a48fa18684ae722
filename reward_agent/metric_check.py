"""Can the metrics of a task of one's own judge an episode? Tried before anything is trained on it."""

from __future__ import annotations

import math
import sysconfig
import traceback
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from reward_agent.envs.registry import tasks
from reward_agent.errors import UsageError
from reward_agent.scoring import no_op, play
from reward_agent.task import Episode, Metric, Task

STEPS = 64
"""Of the episode they are tried on, at most."""


def require_metrics(task: Task) -> None:
    """Have each metric score a short episode of doing nothing; those of shipped tasks are tested already.

    Raises:
        UsageError: one fails, or gives no finite number, with the line.
    """
    if tasks().get(task.undisguised.id) is task.undisguised:
        return
    fields = {path for metric in task.metrics for path in metric.fields}

    def judge(index: int, episode: Episode) -> None:
        for metric in task.metrics:
            _judge(metric, episode)

    short = replace(task, horizon=min(task.horizon, STEPS))
    play(short, no_op(task), [0], fields, judge)


def _judge(metric: Metric, episode: Episode) -> None:
    who = f"The metric {metric.name!r}, asked for the score of {len(episode.action)} steps of doing nothing,"
    what = "A metric gives one finite number for any episode; `reward-agent doctor --world TASK` looks at all of them."
    try:
        score = metric.score(episode)
    except Exception as error:
        raise UsageError(f"{who} fails: {_place(error)}.{_closest(error)} {what}") from error
    try:
        finite = math.isfinite(score)
    except TypeError as error:
        raise UsageError(f"{who} gives {score!r:.80}, a {type(score).__name__}. {what}") from error
    if not finite:
        raise UsageError(f"{who} gives {score}. {what}")


def _place(error: Exception) -> str:
    """What was raised, after the file and line of the user's that it comes from."""
    inside = (*sysconfig.get_paths().values(), str(Path(__file__).parent))
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((*inside, "<"))]
    said = f"{type(error).__name__}: {' '.join(str(error).split()).rstrip('.')}"
    return f"{own[-1].filename}, line {own[-1].lineno}: {said}" if own else said


def _closest(error: Exception) -> str:
    if not isinstance(error, AttributeError):
        return ""
    close = get_close_matches(error.name or "", dir(error.obj), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""

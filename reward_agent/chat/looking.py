"""Looking at what a reward leads to, behind one protocol: a planner that acts on it at once, or a short training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from reward_agent.history import Interval, Outcome
from reward_agent.program import Fault, Program
from reward_agent.schema import Array
from reward_agent.task import Task
from reward_agent.trial import points


@dataclass(frozen=True)
class Look:
    """What a reward led to."""

    terms: Mapping[str, tuple[float, ...]]
    """The course of each term, mean a step."""
    total: tuple[float, ...]
    """The course of the whole reward."""
    metrics: Mapping[str, float]
    """Of the whole episode; none of one that was cut short."""
    seconds: float
    """Of simulated time that were played."""
    real_time_factor: float | None
    """Simulated seconds a second; None where nothing was played for somebody to see, as in a training."""
    start: Mapping[str, Array] | None = field(default=None, compare=False)
    """The world's state that was played from; None for a reset."""
    end: Mapping[str, Array] | None = field(default=None, compare=False)
    """The world's state at the end, for the next look to start from."""
    over: bool = field(default=False, compare=False)
    """The episode ended before its horizon: no look can go on from there."""
    cut_short: bool = False
    """It was stopped before the end of its episode, by the person or by `--look-seconds`."""
    actions: Array | None = field(default=None, compare=False)
    """`(T, A)`, as played from the start: what a clip is made of."""
    outcome: Outcome | None = None
    """As a training told it; else it is made of the rest."""


class Looker(Protocol):
    def look(self, task: Task, program: Program) -> Look | Fault:
        """Act on a program that passed check and probe.

        Returns:
            A fault where the program failed.

        Raises:
            KeyboardInterrupt: it was stopped before there was anything to tell.
            MissingComponentError: this machine lacks something.
        """
        ...


def outcome_of(task: Task, look: Look) -> Outcome:
    """A look as methods read it."""
    if look.outcome is not None:
        return look.outcome
    known = {metric.name: float(look.metrics.get(metric.name, math.nan)) for metric in task.metrics}
    graded, succeeds = task.graded, [metric.name for metric in task.metrics[:1] if metric.kind == "success"]
    steps = round(look.seconds / task.world.dt)
    return Outcome(
        metrics={name: Interval.alone(value) for name, value in known.items()},
        terms={name: points(np.asarray(values)) for name, values in look.terms.items()},
        episode_return=points(np.asarray(look.total)),
        episode_length=(float(steps),),
        task_score=(known[graded.name],) if graded else (),
        steps=steps,
        seconds=look.seconds,
        success=tuple(known[name] for name in succeeds),
        measured_at=(steps,) if graded else (),
        by="planner",
        stopped_of=task.horizon * task.world.dt if look.cut_short else None,
    )


def unseen(task: Task) -> Outcome:
    """Of a program that nothing acted on."""
    nothing = {metric.name: Interval.alone(math.nan) for metric in task.metrics}
    return Outcome(nothing, {}, (), (), (), 0, 0.0, by="nothing")

"""What a row's runs say together: a mean with our own interval, and beside it rliable's stratified bootstrap.

rliable (Agarwal et al., NeurIPS 2021) takes scores of shape `(runs, tasks)`, draws runs anew within each task, and
gives percentiles of the mean and of the interquartile mean (IQM, the mean of the middle half of all scores). It is made
for few runs of *many* tasks. Over few runs in all its intervals are too narrow, which is said of them (`coverage`); up
to three runs of one task they are nothing but the runs' range, and left out.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reward_agent.history import Interval
from reward_agent.scoring import confidence_interval
from reward_agent.sweep.components import component
from reward_agent.task import Kind

Unit = Literal["search", "training", "episode"]
DRAWS = 10_000
RANGE_ONLY = 3
"""Runs of one task up to which the bootstrap's 95 % are the runs' range: each end is drawn in n⁻ⁿ ≥ 2.5 % of draws."""
ENOUGH = 0.9
"""Coverage from which nothing is said of it."""


@dataclass(frozen=True)
class Summary:
    """Of one row, by its first metric."""

    interval: Interval
    """The mean, by Student's t or Clopper and Pearson; see `scoring.confidence_interval`."""
    unit: Unit
    """What the interval is over, for units are independent of one another."""
    units: int
    """A task."""
    bootstrap: Interval | None = None
    """The mean again, by rliable; None where it would mean nothing."""
    iqm: Interval | None = None
    """The interquartile mean, by rliable."""
    note: str = ""
    """What to beware of in the bootstrap."""


def summarise(units: Sequence[Sequence[float]], kind: Kind, unit: Unit) -> Summary:
    """Of one task.

    Args:
        units: the episodes' scores of each; of a single one, its episodes are the units.
        kind: of the metric.
        unit: what they are.
    """
    if len(units) == 1:
        note = "one training: the interval is over its episodes and says nothing of the next training"
        return Summary(confidence_interval(units[0], kind), "episode", len(units[0]), note=note)
    means = np.array([[float(np.mean(each))] for each in units])
    interval = confidence_interval(means, kind)
    if len(units) <= RANGE_ONLY:
        note = f"no bootstrap: over {len(units)} runs of one task it is no more than their range"
        return Summary(interval, unit, len(units), note=note)
    return _with_bootstrap(Summary(interval, unit, len(units)), means)


def summarise_tasks(means: ArrayLike, kind: Kind, unit: Unit) -> Summary:
    """Of several tasks with one kind of metric.

    Args:
        means: of each unit on each task, `(units, tasks)`; units of different tasks are independent.
        kind: of the metrics.
        unit: what the units are.
    """
    table = np.asarray(means, np.float64)
    count = len(table)
    if count == 1:
        mean = float(table.mean())
        return Summary(Interval(mean, math.nan, math.nan), unit, 1, note="one run a task: no interval over runs")
    # a mean over tasks of one unit each is a sample of the mean over tasks
    interval = confidence_interval(table.mean(1, keepdims=True), kind)
    return _with_bootstrap(Summary(interval, unit, count), table)


def bootstrap(scores: NDArray[np.float64]) -> tuple[Interval, Interval]:
    """The mean and the IQM of `scores` `(runs, tasks)` with their 95 % intervals, by rliable; the same every time.

    Raises:
        MissingComponentError: rliable is not installed, or cannot be imported.
    """
    library, metrics = component("rliable.library"), component("rliable.metrics")

    def both(table: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([metrics.aggregate_mean(table), metrics.aggregate_iqm(table)])

    with _seeded(0), redirect_stdout(sys.stderr):
        point, ends = library.get_interval_estimates({"row": scores}, both, reps=DRAWS)
    (mean, iqm), (low, high) = point["row"], ends["row"]
    return tuple(Interval(float(p), float(a), float(b)) for p, a, b in zip((mean, iqm), low, high, strict=True))  # type: ignore[return-value]


def _with_bootstrap(summary: Summary, scores: NDArray[np.float64]) -> Summary:
    runs, tasks = scores.shape
    if (scores == scores[0]).all():
        alike = "score the same" if tasks == 1 else "score the same on each task"
        return replace(summary, note=f"no bootstrap: all {runs} runs {alike}, and it would have no width")
    mean, iqm = bootstrap(scores)
    share = coverage(runs, tasks)
    weak = f"{runs} runs a task: the bootstrap's 95 % are more like {100 * share:.0f} %"
    return replace(summary, bootstrap=mean, iqm=iqm, note=weak if share < ENOUGH else "")


def coverage(runs: int, tasks: int) -> float:
    """How often the bootstrap's 95 % interval of a mean holds the truth, about.

    Draws have √((n−1)/n) of the deviation that n runs estimate, and their percentiles leave out that it is estimated.
    In a simulation with normal scores this was right to 2 % from three runs on (docs/sweeps.md).
    """
    from scipy.special import stdtr

    return float(1.0 - 2.0 * stdtr(tasks * (runs - 1), -1.96 * math.sqrt((runs - 1) / runs)))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Numpy's global generator from a seed, and then as it was: rliable 1.2 draws from it, whatever it is given."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)

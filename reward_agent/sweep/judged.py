"""What a row's scores count: the first metric as it is defined, the horizon, and the reward that was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reward_agent.result import Result
from reward_agent.task import Kind, Task


@dataclass(frozen=True)
class Judged:
    """By what a task's episodes were judged."""

    metric: str
    kind: Kind
    counts: str
    """When and by whose test a success counts, as once or at the end; or what the metric says of itself."""
    horizon: int
    """Steps after which an episode is truncated; 0 where tasks differ in it."""
    reward_version: str
    """Of the published reward that the expert's is; empty where there is none, or tasks differ in it."""

    @property
    def definition(self) -> tuple[str, Kind, str]:
        """The same for scores that may be averaged: what bears one name in two worlds need not be one thing."""
        return self.metric, self.kind, self.counts


def judged_by(task: Task) -> Judged:
    """As the task has it now; of one that was edited to have no metric, that nothing is counted."""
    version = task.undisguised.reward_version
    if not task.metrics:
        return Judged("", "fitness", "", task.horizon, version)
    first = task.metrics[0]
    return Judged(first.name, first.kind, first.counts or first.doc, task.horizon, version)


def judged_in(result: Result, task: Task) -> Judged:
    """As a run had it: its task may have been edited since. What an earlier release did not write is the task's."""
    now = judged_by(task)
    if not result.judged:
        return now
    name, doc = next(iter(result.judged.items()))
    metric = next((metric for metric in task.metrics if metric.name == name), None)
    if metric is None:
        return Judged(name, now.kind, doc, result.horizon, result.reward_version)
    return Judged(name, metric.kind, metric.counts or doc, result.horizon, result.reward_version)


def together(each: Sequence[Judged]) -> Judged:
    """Of several tasks with one definition."""
    first, horizons, versions = each[0], {one.horizon for one in each}, {one.reward_version for one in each}
    return Judged(
        *first.definition,
        first.horizon if len(horizons) == 1 else 0,
        first.reward_version if len(versions) == 1 else "",
    )

"""Rows of a sweep's table: the runs that differ by their seed alone, summed up; and each label over tasks alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reward_agent.sweep.finished import Finished
from reward_agent.sweep.groups import Group, merged, notes
from reward_agent.sweep.intervals import Summary, summarise, summarise_tasks
from reward_agent.sweep.judged import Judged, together
from reward_agent.sweep.spec import FLOORS

RowKind = Literal["search", "given", "floor", "all"]
Groups = Mapping[tuple[str, str], Group]
"""By task and label."""


@dataclass(frozen=True)
class Row:
    """One line."""

    task: str
    label: str
    judged: Judged
    kind: RowKind
    """A search for a reward, the evaluation of a `given` one, doing nothing or anything, or a label over tasks."""
    summary: Summary | None
    """None while nothing of it is done."""
    jobs: int = 0
    """Of the sweep, in this row; `done` have a score, `failed` broke, `unpaid` and `waiting` for a person go on."""
    done: int = 0
    failed: int = 0
    unpaid: int = 0
    waiting: int = 0
    steps: int = 0
    """Trained, by all its jobs that are done."""
    seconds: float = 0.0
    """Worked on, one job after another, those that are not done as well; so the rest."""
    tokens: int = 0
    usd: float = 0.0
    sees: str = ""
    """What the model was let see."""
    notes: tuple[str, ...] = ()


def make_rows(groups: Groups) -> tuple[Row, ...]:
    """Of what a sweep has so far: task by task, and below them each label over the tasks that are judged alike."""
    rows: list[Row] = []
    for task in dict.fromkeys(task for task, _ in groups):
        own = [group for (its, _), group in groups.items() if its == task]
        rows += [_row(group) for group in own]
        rows += _floors(task, own)
    return (*rows, *_over_tasks(groups))


def _row(group: Group) -> Row:
    units, unit = group.units()
    judged, first = group.judged[0], group.each[0].job
    summary = summarise(units, judged.kind, unit) if units else None
    return _counted(first.task, judged, "given" if group.given else "search", group, summary)


def _counted(task: str, judged: Judged, kind: RowKind, group: Group, summary: Summary | None, *more: str) -> Row:
    first = group.each[0].job
    return Row(
        task=task,
        label=first.label,
        judged=judged,
        kind=kind,
        summary=summary,
        jobs=len(group.each),
        done=group.done,
        failed=group.failed,
        unpaid=group.waiting("unpaid"),
        waiting=group.waiting("waiting"),
        steps=sum(each.steps for each in group.finished),
        seconds=sum(known.seconds for known in group.each),
        tokens=sum(known.spent.tokens for known in group.each),
        usd=sum(known.spent.usd for known in group.each),
        sees=first.config.make_method().sees,
        notes=(*more, *notes(group, summary)),
    )


def _floors(task: str, groups: Sequence[Group]) -> Iterator[Row]:
    """`no-op` and `random` on the episodes of all that was reported, each seed's once, for each way of judging."""
    ways: dict[Judged, dict[int, list[Finished]]] = {}
    for each in (each for group in groups for each in group.finished):
        ways.setdefault(each.judged, {}).setdefault(each.job.seed, []).append(each)
    for judged, by_seed in ways.items():
        said = ("runs of one seed have other scores for it: was the task edited between them?",)
        differ = any(_differ(runs, judged.metric) for runs in by_seed.values())
        # a run's report seeds begin those of one with more episodes
        longest = [max(runs, key=lambda run: run.job.config.report_episodes) for _, runs in sorted(by_seed.items())]
        for name in FLOORS:
            scores = [score for run in longest for score in run.floors[name][judged.metric]]
            summary = summarise([scores], judged.kind, "episode")
            plain = Summary(summary.interval, "episode", summary.units)
            yield Row(task, name, judged, "floor", plain, notes=said if differ and name == "no-op" else ())


def _differ(runs: Sequence[Finished], metric: str) -> bool:
    """Whether doing nothing came out otherwise on the same seeds, which only another task can make it."""
    scores = [run.floors["no-op"][metric] for run in runs]
    shortest = min(map(len, scores))
    return any(not np.allclose(each[:shortest], scores[0][:shortest], equal_nan=True) for each in scores)


def _over_tasks(groups: Groups) -> Iterator[Row]:
    """Each label over all tasks that one success is the first metric of; those in disguise apart from the others.

    Other metrics have no common scale; nor have successes that count different things, as once and at the end.
    """
    every = list(dict.fromkeys(task for task, _ in groups))
    for tasks in _alike(groups, every):
        for label in dict.fromkeys(label for _, label in groups):
            own = [groups[task, label] for task in tasks if (task, label) in groups]
            found = [group.units() for group in own]
            if len(own) < len(tasks) or len({(len(units), kind) for units, kind in found}) > 1 or not found[0][0]:
                continue
            means = np.array([[np.mean(each) for each in units] for units, _ in found]).T
            summary, judged = summarise_tasks(means, "success", found[0][1]), together([g.judged[0] for g in own])
            whole = len(tasks) == len(every)
            name = f"all {len(tasks)} tasks" if whole else f"{len(tasks)} of {len(every)} tasks"
            told = () if whole else (f"over {', '.join(tasks)}",)
            yield _counted(name, judged, "all", merged(own), summary, *told)


def _alike(groups: Groups, every: Sequence[str]) -> Iterator[list[str]]:
    """Tasks, two at least, whose successes count the same."""
    found: dict[object, list[str]] = {}
    for task in every:
        own = [group for (its, _), group in groups.items() if its == task]
        ways = {judged.definition for group in own for judged in group.judged}
        if len(ways) == 1 and own[0].judged[0].kind == "success":
            found.setdefault((*ways, own[0].each[0].disguised), []).append(task)
    yield from (tasks for tasks in found.values() if len(tasks) > 1)

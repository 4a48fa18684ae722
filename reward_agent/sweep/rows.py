"""Rows of a sweep's table: the runs that differ by their seed alone, summed up; and each label over all tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from reward_agent.envs.registry import find_task
from reward_agent.search import spent_in
from reward_agent.store import MANIFEST, read_steps
from reward_agent.sweep.finished import Finished, read_finished
from reward_agent.sweep.folder import failure
from reward_agent.sweep.intervals import Summary, Unit, summarise, summarise_tasks
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.standing import read_clock
from reward_agent.sweep.work import USED_UP
from reward_agent.task import Metric
from reward_agent.trial import Scores
from reward_agent.wording import count

RowKind = Literal["search", "given", "floor", "all"]


@dataclass(frozen=True)
class Row:
    """One line."""

    task: str
    label: str
    metric: str
    kind: RowKind
    """A search for a reward, the evaluation of a `given` one, what no policy falls below, or a label over all tasks."""
    summary: Summary | None
    """None while nothing of it is done."""
    jobs: int
    """Of the sweep, in this row."""
    done: int
    """Of those, with a score."""
    steps: int
    """Trained, by all its jobs that are done, as is the rest."""
    seconds: float
    """Worked on, one job after another."""
    tokens: int
    usd: float
    sees: str
    """What the model was let see."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Group:
    """Jobs of one row, and what is known of them."""

    jobs: tuple[Job, ...]
    finished: tuple[Finished, ...]
    nothing: tuple[Scores, ...]
    """Scores of the runs that found no program: those of doing nothing."""
    failed: int
    metric: Metric

    @property
    def given(self) -> bool:
        return self.jobs[0].given

    def units(self) -> tuple[list[list[float]], Unit]:
        """Scores of the first metric by what is independent of what.

        Searches are, but not the trainings at the end of one; where a reward was given, each training is.
        """
        name = self.metric.name
        searches = [[list(scores[name]) for scores in each.trainings] for each in self.finished]
        searches += [[list(scores[name])] for scores in self.nothing]
        if self.given or len(searches) == 1:
            return [training for trainings in searches for training in trainings], "training"
        return [[score for training in trainings for score in training] for trainings in searches], "search"


def make_rows(folder: Path, jobs: Sequence[Job]) -> tuple[Row, ...]:
    """Of what the sweep in `folder` has so far: task by task, and below them each label over all tasks."""
    groups = _groups(folder, jobs)
    rows: list[Row] = []
    for task in dict.fromkeys(task for task, _ in groups):
        own = [group for (its, _), group in groups.items() if its == task]
        rows += [_row(folder, group) for group in own]
        rows += _floors(task, own)
    return (*rows, *_over_all(groups, rows))


def read_all(folder: Path, jobs: Sequence[Job]) -> tuple[Finished, ...]:
    """What is finished of the sweep, in the file's order."""
    return tuple(found for job in _in_order(jobs) if (found := read_finished(folder, job)) is not None)


def _in_order(jobs: Sequence[Job]) -> list[Job]:
    """That of the file, where jobs run seed by seed."""
    return sorted(jobs, key=lambda job: job.line)


def _groups(folder: Path, jobs: Sequence[Job]) -> Mapping[tuple[str, str], _Group]:
    keys = dict.fromkeys((job.task, job.label) for job in _in_order(jobs))
    made = {}
    for key in keys:
        own = tuple(job for job in jobs if (job.task, job.label) == key)
        ends = [failure(folder, job) for job in own]
        made[key] = _Group(
            own,
            read_all(folder, own),
            tuple(end.scores for end in ends if end and end.scores),
            sum(end is not None and not end.scores for end in ends),
            find_task(own[0].config.task).metrics[0],
        )
    return made


def _row(folder: Path, group: _Group) -> Row:
    units, unit = group.units()
    summary = summarise(units, group.metric.kind, unit) if units else None
    # also what runs without a result cost
    runs = [folder / job.folder for job in group.jobs if (folder / job.folder / MANIFEST).is_file()]
    spent = [spent_in(read_steps(run)) for run in runs]
    first = group.jobs[0]
    return Row(
        task=first.task,
        label=first.label,
        metric=group.metric.name,
        kind="given" if group.given else "search",
        summary=summary,
        jobs=len(group.jobs),
        done=len(group.finished) + len(group.nothing),
        steps=sum(each.steps for each in group.finished),
        seconds=sum(read_clock(run) for run in runs),
        tokens=sum(each.tokens for each in spent),
        usd=sum(each.usd for each in spent),
        sees=first.config.make_method().sees,
        notes=tuple(_notes(group, summary)),
    )


def _notes(group: _Group, summary: Summary | None) -> Iterator[str]:
    todo = len(group.jobs) - len(group.finished) - len(group.nothing) - group.failed
    if todo:
        yield f"{todo} of {count(len(group.jobs), 'job')} not done yet"
    if group.failed:
        yield f"{count(group.failed, 'job')} failed, left out of the score"
    if group.nothing:
        yield f"{count(len(group.nothing), 'search')} found no program: counted as doing nothing"
    if faults := sum(each.faults for each in group.finished):
        yield f"{count(faults, 'training')} failed: counted as doing nothing"
    if short := sum(each.reason.startswith(USED_UP) for each in group.finished):
        yield f"{count(short, 'search')} cut short by the budget"
    if unpriced := sum(each.spent.unpriced for each in group.finished):
        yield f"{count(unpriced, 'reply')} of no known price, not in US$"
    if any(each.unsafe for each in group.finished):
        yield "UNSAFE: reward programs ran without the sandbox"
    if summary and summary.unit != "search" and not group.given:
        yield "one search: the interval says nothing of the next search"
    if summary and summary.note:
        yield summary.note


def _floors(task: str, groups: Sequence[_Group]) -> Iterator[Row]:
    """`no-op` and `random` on the episodes of all that was reported, each seed's once."""
    by_seed = {each.job.seed: each for group in groups for each in group.finished}
    metric = groups[0].metric
    for name in ("no-op", "random") if by_seed else ():
        scores = [score for _, each in sorted(by_seed.items()) for score in each.floors[name][metric.name]]
        summary = summarise([scores], metric.kind, "episode")
        plain = Summary(summary.interval, "episode", summary.units)
        yield Row(task, name, metric.name, "floor", plain, 0, 0, 0, 0.0, 0, 0.0, "")


def _over_all(groups: Mapping[tuple[str, str], _Group], rows: Sequence[Row]) -> Iterator[Row]:
    """Each label over all tasks, where all are judged by a success: other metrics have no common scale."""
    tasks = list(dict.fromkeys(task for task, _ in groups))
    if len(tasks) < 2 or any(group.metric.kind != "success" for group in groups.values()):
        return
    for label in dict.fromkeys(label for _, label in groups):
        own = [groups[task, label] for task in tasks if (task, label) in groups]
        found = [group.units() for group in own]
        unit, (size, *others) = found[0][1], {len(units) for units, _ in found}
        if len(own) < len(tasks) or others or not size or {kind for _, kind in found} != {unit}:
            continue
        means = np.array([[np.mean(each) for each in units] for units, _ in found]).T
        summary = summarise_tasks(means, "success", unit)
        its = [row for row in rows if row.label == label]
        yield Row(
            task=f"all {len(tasks)} tasks",
            label=label,
            metric="success",
            kind="all",
            summary=summary,
            jobs=sum(row.jobs for row in its),
            done=sum(row.done for row in its),
            steps=sum(row.steps for row in its),
            seconds=sum(row.seconds for row in its),
            tokens=sum(row.tokens for row in its),
            usd=sum(row.usd for row in its),
            sees=its[0].sees,
            notes=(summary.note,) if summary.note else (),
        )

"""Conducts a sweep: has the executor do what is not done yet, keeps how each job ended, and tells what happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_agent.errors import InterruptedRunError, NoResultError, RewardAgentError
from reward_agent.invocation import command
from reward_agent.llm import Budget
from reward_agent.sweep.executor import Executor, Resources, Work
from reward_agent.sweep.folder import Status, forget_end, keep_end, status, unended
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.standing import Standing
from reward_agent.sweep.work import End, Order, exhausted, spent_so_far, work


@dataclass(frozen=True)
class Began:
    job: Job


@dataclass(frozen=True)
class Moved:
    job: Job
    standing: Standing


@dataclass(frozen=True)
class Ended:
    job: Job
    end: End


SweepEvent = Began | Moved | Ended


@dataclass(frozen=True)
class Agenda:
    """What is to be done of a sweep, and why the rest is not."""

    todo: tuple[Job, ...]
    done: tuple[Job, ...]
    failed: tuple[Job, ...]
    """Failed before, and left alone."""


def agenda(folder: Path, jobs: Sequence[Job], budget: Budget, *, retry_failed: bool = False) -> Agenda:
    """What is left of the sweep in `folder`.

    A run that came to its end without a program that could be trained is an outcome as any other: it is never tried
    again, or a method's failures would be drawn anew until they are gone.
    """
    found: dict[Status, list[Job]] = {"new": [], "begun": [], "short": [], "failed": [], "done": []}
    for job in jobs:
        found[status(folder, job)].append(job)
    affordable = bool(found["short"]) and exhausted(spent_so_far(folder), budget) is None
    again = [job for job in found["failed"] if retry_failed and not _final(unended(folder, job))]
    todo = {job.id for job in (*found["new"], *found["begun"], *again, *(found["short"] if affordable else ()))}
    return Agenda(
        tuple(job for job in jobs if job.id in todo),
        tuple(job for job in (*found["done"], *found["short"]) if job.id not in todo),
        tuple(job for job in found["failed"] if job.id not in todo),
    )


def conduct(
    folder: Path,
    todo: Sequence[Job],
    executor: Executor,
    budget: Budget,
    events: Callable[[SweepEvent], None],
    *,
    again: str,
) -> None:
    """Do these jobs of the sweep in `folder`, which this process holds (`folder.locked`).

    Args:
        folder: of the sweep.
        todo: in the order to begin in.
        executor: runs them.
        budget: for models, over the whole sweep.
        events: told what happens, from this thread.
        again: the arguments of the command that goes on, as `sweep FILE`.

    Raises:
        InterruptedRunError: Ctrl-C. All that was done is saved.
    """
    by_id = {job.id: job for job in todo}

    def moved(key: str, standing: Standing) -> None:
        events(Moved(by_id[key], standing))

    def started(key: str) -> None:
        # a sitting that is killed from here on leaves a job that was begun, not one that failed or waits
        forget_end(folder, by_id[key])
        events(Began(by_id[key]))

    running = executor.run({job.id: _work(folder, job, budget, executor) for job in todo}, moved, started)
    try:
        with closing(running):
            for key, result in running:
                end = _end(result)
                keep_end(folder, by_id[key], end)
                events(Ended(by_id[key], end))
    except KeyboardInterrupt as error:
        raise InterruptedRunError(
            f"Stopped; what was done is saved. `{command()} {again}` goes on from here."
        ) from error


def _work(folder: Path, job: Job, budget: Budget, executor: Executor) -> Work:
    cores = min(job.config.jobs or executor.cores, executor.cores)
    return Work(work, Order(job.config, folder.resolve(), job.folder, budget, cores), Resources(cores))


def _end(result: Any) -> End:
    """A process that ended without a result, as for want of memory, is a failure as others are."""
    if isinstance(result, RewardAgentError):
        return End("failed", str(result), type(result).__name__)
    assert isinstance(result, End)
    return result


def _final(end: End | None) -> bool:
    return end is not None and end.kind == NoResultError.__name__

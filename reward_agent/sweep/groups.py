"""Jobs that are one row of a sweep's table, what is known of them, and what must be said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from reward_agent.envs.registry import DISGUISE
from reward_agent.llm import Spent
from reward_agent.search import spent_in
from reward_agent.store import MANIFEST, read_steps
from reward_agent.sweep.finished import Finished, read_finished, task_of
from reward_agent.sweep.folder import unended
from reward_agent.sweep.intervals import Summary, Unit
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.judged import Judged, judged_by
from reward_agent.sweep.standing import read_clock
from reward_agent.sweep.work import USED_UP, End, State
from reward_agent.trial import Scores
from reward_agent.wording import count

UNKNOWN = Judged("", "fitness", "", 0, "")


@dataclass(frozen=True)
class Known:
    """Of one job, as the disk has it."""

    job: Job
    finished: Finished | None
    end: End | None
    """Why it has no result, if it was come to."""
    seconds: float
    """Worked on, whether it has ended or not; so the next."""
    spent: Spent
    judged: Judged
    """In its run, or by its task where that has not ended; `UNKNOWN` where there is no such task any more either."""
    disguised: bool

    @property
    def nothing(self) -> Scores | None:
        """Scores of doing nothing, where the search came to its end and found no program."""
        return self.end.scores if self.end and self.end.scores else None

    def ended(self, state: State) -> bool:
        """Whether this is how it was left, without a result."""
        return self.end is not None and self.end.state == state


def know(folder: Path, job: Job) -> Known:
    """What the sweep in `folder` has of the job.

    Raises:
        UsageError: a file of the run is damaged.
    """
    run, task = folder / job.folder, task_of(job)
    finished, begun = read_finished(folder, job), (run / MANIFEST).is_file()
    return Known(
        job,
        finished,
        None if finished else unended(folder, job),
        read_clock(run) if begun else 0.0,
        spent_in(read_steps(run)) if begun else Spent(),
        finished.judged if finished else judged_by(task) if task else UNKNOWN,
        # by its id as well, for its words may be gone
        DISGUISE in job.task or (task is not None and task.disguised_from is not None),
    )


@dataclass(frozen=True)
class Group:
    """The jobs of one row: they differ by their seed alone, or by the task as well in a row over several."""

    each: tuple[Known, ...]

    @property
    def finished(self) -> tuple[Finished, ...]:
        return tuple(known.finished for known in self.each if known.finished)

    @property
    def nothing(self) -> tuple[Scores, ...]:
        return tuple(known.nothing for known in self.each if known.nothing)

    @property
    def done(self) -> int:
        """Jobs with a score."""
        return len(self.finished) + len(self.nothing)

    @property
    def failed(self) -> int:
        """Jobs that broke, and have none."""
        return sum(known.ended("failed") and known.nothing is None for known in self.each)

    def waiting(self, state: State) -> int:
        """Jobs that came to no end in the last sitting, `waiting` for a person or `unpaid`."""
        return sum(known.ended(state) for known in self.each)

    @property
    def given(self) -> bool:
        return self.each[0].job.given

    @property
    def judged(self) -> tuple[Judged, ...]:
        """In what ways: one, unless the task was edited between its runs."""
        ended = [known.judged for known in self.each if known.finished]
        return tuple(dict.fromkeys(ended or [known.judged for known in self.each]))

    def units(self) -> tuple[list[list[float]], Unit]:
        """Scores of the first metric by what is independent of what.

        Searches are, but not the trainings at the end of one; where a reward was given, each training is.
        """
        searches = [[list(scores[each.judged.metric]) for scores in each.trainings] for each in self.finished]
        # the first is the first metric's: scores stand in the order of the task's metrics
        searches += [[list(next(iter(scores.values())))] for scores in self.nothing]
        if self.given or len(searches) == 1:
            return [training for trainings in searches for training in trainings], "training"
        return [[score for training in trainings for score in training] for trainings in searches], "search"


def gather(folder: Path, jobs: Sequence[Job]) -> Mapping[tuple[str, str], Group]:
    """What the sweep in `folder` has, by task and label, in the file's order."""
    known: dict[tuple[str, str], list[Known]] = {}
    for job in in_order(jobs):
        known.setdefault((job.task, job.label), []).append(know(folder, job))
    return {key: Group(tuple(each)) for key, each in known.items()}


def merged(groups: Sequence[Group]) -> Group:
    """All of them as one."""
    return Group(tuple(chain.from_iterable(group.each for group in groups)))


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """That of the file, where jobs run seed by seed."""
    return sorted(jobs, key=lambda job: job.line)


def notes(group: Group, summary: Summary | None) -> Iterator[str]:
    """What a reader of the row must know."""
    if len(group.judged) > 1 and len({known.job.task for known in group.each}) == 1:
        yield "judged in more than one way: its task was edited between its runs, which want a sweep of another `name`"
    if todo := len(group.each) - group.done - group.failed:
        yield f"{todo} of {count(len(group.each), 'job')} not done yet"
    if unpaid := group.waiting("unpaid"):
        yield f"{count(unpaid, 'job')} not paid for"
    if waiting := group.waiting("waiting"):
        yield f"{count(waiting, 'job')} waiting for a person"
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

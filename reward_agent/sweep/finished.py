"""What a finished run of a sweep says in tables and curves, read off its folder: nothing is trained or played again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reward_agent.codec import decode
from reward_agent.envs.registry import DISGUISE, find_task
from reward_agent.errors import UsageError
from reward_agent.final import FLOORS, FLOORS_KIND, final_stage
from reward_agent.history import Outcome
from reward_agent.llm import Spent
from reward_agent.messages import Key
from reward_agent.program import TrainingFault
from reward_agent.result import Result, load_result
from reward_agent.store import read_steps
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.judged import Judged, judged_in
from reward_agent.sweep.standing import read_clock
from reward_agent.task import Task
from reward_agent.trial import Scores, Trained


@dataclass(frozen=True)
class Curve:
    """The first metric over one training."""

    training: int
    """Which of the run's, from 0."""
    steps: tuple[int, ...]
    values: tuple[float, ...]
    """Means of some episodes on the select seeds after these steps, the last of all of them."""


@dataclass(frozen=True)
class Finished:
    """Of one job."""

    job: Job
    judged: Judged
    trainings: tuple[Scores, ...]
    """Of each training from scratch: its episodes' scores on the report seeds. One that failed did nothing."""
    faults: int
    """Trainings that failed."""
    floors: Mapping[str, Scores]
    """`no-op` and `random`, on the same seeds."""
    curves: tuple[Curve, ...]
    steps: int
    """Simulated for training, in the whole run."""
    seconds: float
    """Worked on, in all sittings."""
    spent: Spent
    sees: str
    program: str
    """SHA-256 of its source."""
    reason: str
    """Why the search ended."""
    unsafe: bool


def read_finished(folder: Path, job: Job) -> Finished | None:
    """What the job of the sweep in `folder` ended with; None while it has not.

    Raises:
        UsageError: a file of the run is damaged.
    """
    run = folder / job.folder
    result = load_result(run)
    if result is None:
        return None
    journal, stage = read_steps(run), final_stage(result.program)
    floors: dict[str, Scores] = decode(FLOORS_KIND, journal[FLOORS])
    ends = [
        decode(Trained | TrainingFault, journal[Key(0, index, 0, stage)]) for index in range(job.config.final_seeds)
    ]
    return Finished(
        job=job,
        judged=_judged(result, task_of(job), ends),
        trainings=tuple(end.report if isinstance(end, Trained) else floors["no-op"] for end in ends),
        faults=sum(isinstance(end, TrainingFault) for end in ends),
        floors=floors,
        curves=tuple(_curve(index, end.outcome) for index, end in enumerate(ends) if isinstance(end, Trained)),
        steps=result.steps,
        seconds=read_clock(run),
        spent=result.spent,
        sees=result.sees,
        program=result.program.id,
        reason=result.reason,
        unsafe=result.unsafe,
    )


def task_of(job: Job) -> Task | None:
    """The task as far as it still is where it was: as it is known where the words of its disguise are gone or edited.

    Metrics are of one kind in both. None where there is no such task any more, as where its file is gone.
    """
    for name in dict.fromkeys((job.config.task, job.config.task.partition(DISGUISE)[0])):
        try:
            return find_task(name)
        except UsageError:
            continue
    return None


def _judged(result: Result, task: Task | None, ends: Sequence[Trained | TrainingFault]) -> Judged:
    if task is not None:
        return judged_in(result, task)
    # shares of successes were measured where the first metric is one
    success = any(isinstance(end, Trained) and end.outcome.success for end in ends)
    doc = next(iter(result.judged.values()), "")
    metric = next(iter(result.metrics))
    return Judged(metric, "success" if success else "fitness", doc, result.horizon, result.reward_version)


def _curve(index: int, outcome: Outcome) -> Curve:
    # by its steps: points that came due between the same two rollouts were measured once, and the end goes last
    points = dict(zip(outcome.measured_at, outcome.success or outcome.task_score, strict=False))
    return Curve(index, tuple(points), tuple(points.values()))

"""One training of one program and its score, as a job for a worker; and the smaller jobs of evaluation.

What a job is told and gives back are frozen values; its files are in the folder it is given.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from reward_agent.codec import decode, encode, to_line
from reward_agent.envs.registry import find_task
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.files import atomic, write_atomically
from reward_agent.history import Outcome
from reward_agent.journal import RunBusyError
from reward_agent.optimise import Curves, Measuring, Optimised, Progress, find_optimiser
from reward_agent.optimise.policy import ARCHITECTURE, TENSORS, load_policy
from reward_agent.planning.policy import PlannedPolicy
from reward_agent.program import Program, TrainingFault
from reward_agent.schema import Array
from reward_agent.scoring import Acting, intervals_of, no_op, random_policy, record_video, roll_out
from reward_agent.sources import CountingSource, RewardSource, SourceFaultError
from reward_agent.store import sha256
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.crediting.distilling import Judging

CHECKPOINT, CURVES, EVALUATION, VIDEO = "training", "curves.npz", "eval.json", "video.mp4"
POINTS = 10
"""Of the curves that feedback sees."""
MEASURED_EPISODES = 8
"""Played at each of the points within a training; the first of the select seeds."""
LOCK_SECONDS = 30.0

Scores = Mapping[str, tuple[float, ...]]
"""One score an episode, in the order of the seeds, by metric name."""


@dataclass(frozen=True)
class TrialSpec:
    """What to train on what, and how to score it."""

    task: str | Task
    """By name where it has one that other processes can find."""
    program: Program
    budget: int
    """Environment steps."""
    seed: int
    folder: Path
    """For its files; its checkpoint is there while it runs."""
    optimiser: str = "ppo"
    preset: str | None = None
    """The task's own unless given."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What to change of the preset's."""
    measured_at: tuple[int, ...] = ()
    """Steps, in rising order and below the budget, at which the metrics are measured, for feedback and curves."""
    select_seeds: tuple[int, ...] = ()
    report_seeds: tuple[int, ...] = ()
    unsafe: bool = False
    tensorboard: bool = False
    shaping: Mapping[str, Any] = field(default_factory=dict)
    """Of a program that tells subgoals: what to change of how they pay (`sources.shaping.Shaping`)."""
    judging: Judging | None = None
    """Who looks for subgoals in words."""


@dataclass(frozen=True)
class Trained:
    """A training that reached its budget."""

    outcome: Outcome
    """On the select seeds."""
    select: Scores
    report: Scores
    files: Mapping[str, str]
    """SHA-256 of the large files by name, relative to the folder."""


@dataclass(frozen=True)
class VideoSpec:
    task: str | Task
    policy: Path
    """Folder of the policy."""
    seed: int
    path: Path
    unsafe: bool = False


@dataclass(frozen=True)
class FloorsSpec:
    task: str | Task
    seeds: tuple[int, ...]
    random_seed: int


@dataclass(frozen=True)
class Scored:
    """How many of a policy's episodes are scored, where each has to be planned."""

    done: int
    episodes: int
    seconds_left: float
    """By what those that are done took; nan before the first."""


def run_trial(
    spec: TrialSpec, progress: Callable[[Progress | Scored], None], stop: Callable[[], bool]
) -> Trained | TrainingFault | None:
    """Train, score, and leave the files of a candidate's folder; None when it was stopped before its budget.

    A training found in the folder goes on from its last checkpoint.

    Returns:
        A `TrainingFault` when the program failed while training.

    Raises:
        MissingComponentError: this machine lacks what the world or the cell needs.
        RunBusyError: another process works in the folder.
    """
    task = resolve(spec.task)
    spec.folder.mkdir(parents=True, exist_ok=True)
    with _alone_in(spec.folder):
        if (finished := _finished(spec)) is not None:
            shutil.rmtree(spec.folder / CHECKPOINT, ignore_errors=True)
            return finished
        steps = 0
        try:
            source = _source(spec, task)
            try:
                trained = _train(spec, task, source, progress, stop)
            finally:
                steps = source.rewards
                source.close()
        except SourceFaultError as error:
            shutil.rmtree(spec.folder / CHECKPOINT, ignore_errors=True)
            return TrainingFault("optimise", error.fault.message, error.fault.line, steps)
        # last: until the score is on the disk, what a killed process has to go on from is this
        if trained is not None:
            shutil.rmtree(spec.folder / CHECKPOINT, ignore_errors=True)
    return trained


def _source(spec: TrialSpec, task: Task) -> CountingSource:
    from reward_agent.crediting.distilling import judged_source
    from reward_agent.sources.making import source_of

    if spec.judging is None:
        return source_of(spec.program, task, spec.shaping, unsafe=spec.unsafe)
    return judged_source(spec.program, task, spec.judging, spec.folder, spec.shaping)


def film(spec: VideoSpec, progress: Callable[[object], None], stop: Callable[[], bool]) -> str:
    """Render an episode of a saved policy; what kept it from being rendered, or nothing."""
    try:
        with atomic(spec.path) as temporary:
            whole = temporary.with_suffix(spec.path.suffix)
            record_video(resolve(spec.task), load_policy(spec.policy, unsafe=spec.unsafe), spec.seed, whole)
            whole.replace(temporary)
    except MissingComponentError as error:
        return str(error)
    return ""


def floors(spec: FloorsSpec, progress: Callable[[object], None], stop: Callable[[], bool]) -> dict[str, Scores]:
    """Scores of doing nothing and of random actions on the same seeds."""
    task = resolve(spec.task)
    acts = {"no-op": no_op(task), "random": random_policy(task, spec.random_seed)}
    return {name: _plain(roll_out(task, act, spec.seeds)) for name, act in acts.items()}


def reference(task: Task, name: str) -> str | Task:
    """How another process finds the task: by `name` (or its id) where that gives this very one, else by pickle."""
    for known in (name, task.id):
        try:
            found = find_task(known)
        except UsageError:
            continue
        if _is_same(found, task, from_file=".py" in known):
            return known
    return task


def _is_same(found: Task, task: Task, *, from_file: bool) -> bool:
    if found.disguised_from and task.disguised_from:
        return found.id == task.id and _is_same(found.disguised_from, task.disguised_from, from_file=from_file)
    # a task from a file is another object each time the file is loaded
    return found is task or (from_file and found.id == task.id)


def resolve(task: str | Task) -> Task:
    """The task itself; see `envs.registry.find_task`."""
    return find_task(task) if isinstance(task, str) else task


def files_are_whole(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether every file is in the folder with the content it was recorded with."""
    return all((folder / name).is_file() and sha256(folder / name) == digest for name, digest in files.items())


def _train(
    spec: TrialSpec,
    task: Task,
    source: RewardSource,
    progress: Callable[[Progress | Scored], None],
    stop: Callable[[], bool],
) -> Trained | None:
    """To the budget, the metrics measured on the way; None when it was stopped before."""

    def measure(policy: Acting) -> Mapping[str, float]:
        scores = roll_out(task, policy, spec.select_seeds[:MEASURED_EPISODES])
        return {name: float(values.mean()) for name, values in scores.items()}

    optimised = find_optimiser(spec.optimiser)(
        # an optimiser goes by the task's class; to it, a preset of the user's choice is one
        replace(task, preset=spec.preset or task.preset),
        source,
        spec.budget,
        spec.seed,
        settings=spec.settings,
        checkpoint=spec.folder / CHECKPOINT,
        tensorboard=spec.folder / "tensorboard" if spec.tensorboard else None,
        progress=progress,
        stop=stop,
        measuring=Measuring(spec.measured_at if task.metrics else (), measure),
    )
    return _score(spec, task, optimised, progress) if optimised.steps >= spec.budget else None


def _score(spec: TrialSpec, task: Task, optimised: Optimised, progress: Callable[[Progress | Scored], None]) -> Trained:
    optimised.policy.save(spec.folder)
    _save_curves(spec.folder / CURVES, optimised.curves)
    count = len(spec.select_seeds)
    shared = spec.report_seeds[:count] == spec.select_seeds
    told = None
    if task.metrics and isinstance(optimised.policy, PlannedPolicy):
        told = _Counted(len(spec.report_seeds) + (0 if shared else count), progress)
    report = _plain(roll_out(task, optimised.policy, spec.report_seeds, told=told)) if spec.report_seeds else {}
    if shared:
        select = {name: scores[:count] for name, scores in report.items()}
    else:
        select = _plain(roll_out(task, optimised.policy, spec.select_seeds, told=told))
    trained = Trained(
        outcome=_outcome(task, optimised, select),
        select=select,
        report=report,
        files={name: sha256(spec.folder / name) for name in (TENSORS, ARCHITECTURE, CURVES)},
    )
    line = to_line(_facts(spec) | {"result": encode(trained)})
    write_atomically(spec.folder / EVALUATION, line.encode() + b"\n")
    return trained


class _Counted:
    """Tells of each episode that is scored, and once before the first."""

    def __init__(self, episodes: int, tell: Callable[[Scored], None]) -> None:
        self._episodes, self._tell, self._done, self._began = episodes, tell, 0, time.monotonic()
        tell(Scored(0, episodes, math.nan))

    def __call__(self) -> None:
        self._done += 1
        each = (time.monotonic() - self._began) / self._done
        self._tell(Scored(self._done, self._episodes, each * (self._episodes - self._done)))


def _finished(spec: TrialSpec) -> Trained | None:
    """What this very training gave before, where its files are still there: its end was not journalled in time."""
    path = spec.folder / EVALUATION
    if not path.is_file():
        return None
    found = json.loads(path.read_text())
    result = found.pop("result")
    if found != json.loads(to_line(_facts(spec))):
        return None
    trained: Trained = decode(Trained, result)
    return trained if files_are_whole(spec.folder, trained.files) else None


def _facts(spec: TrialSpec) -> dict[str, Any]:
    """All that a training's result depends on, as plain data."""
    facts: dict[str, Any] = {
        "task": spec.task if isinstance(spec.task, str) else spec.task.id,
        "program": spec.program.id,
        "optimiser": spec.optimiser,
        "preset": spec.preset,
        "settings": {name: value for name, value in spec.settings.items() if name != "threads"},
        "budget": spec.budget,
        "measured_at": spec.measured_at,
        "training_seed": spec.seed,
        "select_seeds": spec.select_seeds,
        "report_seeds": spec.report_seeds,
        "unsafe": spec.unsafe,
    }
    if spec.shaping:  # what has none was written by releases that knew of none
        facts["shaping"] = spec.shaping
    if spec.judging:
        facts["judging"] = spec.judging.llm
    plain: dict[str, Any] = encode(facts)
    return plain


def _outcome(task: Task, optimised: Optimised, select: Scores) -> Outcome:
    curves = optimised.curves
    intervals = intervals_of([select], task.metrics)
    course = [*optimised.measured, {name: interval.mean for name, interval in intervals.items()}]
    graded, succeeds = task.graded, [metric.name for metric in task.metrics[:1] if metric.kind == "success"]
    return Outcome(
        metrics=intervals,
        terms={name: points(values) for name, values in curves.terms.items()},
        episode_return=points(curves.episode_return),
        episode_length=points(curves.episode_length),
        task_score=tuple(means[graded.name] for means in course) if graded else (),
        success=tuple(means[name] for means in course for name in succeeds),
        measured_at=(*optimised.measured_at, optimised.steps) if graded else (),
        steps=optimised.steps,
        seconds=optimised.seconds,
        bad_rewards=optimised.bad_rewards,
        by="practice" if isinstance(optimised.policy, PlannedPolicy) else "training",
    )


def points(values: Array) -> tuple[float, ...]:
    """At most `POINTS` means over equal stretches; nan where nothing was measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a stretch of nan has the mean nan
        return tuple(float(np.nanmean(part)) for part in np.array_split(values, min(POINTS, len(values) or 1)))


def _plain(scores: Mapping[str, Array]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(float(score) for score in values) for name, values in scores.items()}


def _save_curves(path: Path, curves: Curves) -> None:
    terms: dict[str, Any] = {f"terms/{name}": values for name, values in curves.terms.items()}
    arrays: dict[str, Any] = {
        "steps": curves.steps,
        "return": curves.episode_return,
        "length": curves.episode_length,
    }
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays, **terms)


def read_curves(path: Path) -> Curves | None:
    """What `curves.npz` holds; None where there is no such file, or none that can be read."""
    try:
        with np.load(path) as arrays:
            terms = {name.removeprefix("terms/"): arrays[name] for name in arrays.files if name.startswith("terms/")}
            return Curves(arrays["steps"], arrays["return"], arrays["length"], terms)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder: the worker of a run that was killed a moment ago may still be ending."""
    descriptor = os.open(folder, os.O_RDONLY)
    deadline = time.monotonic() + LOCK_SECONDS
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise RunBusyError(f"Another process is training in {folder}. Stop it and try again.") from error
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)

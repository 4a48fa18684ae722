"""The runs of a sweep, each known by all that its result depends on, and checked before any of them starts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reward_agent.agent import settled_config
from reward_agent.codec import encode, to_line
from reward_agent.config import RunConfig, connect_llm
from reward_agent.envs.registry import DISGUISE, find_task
from reward_agent.envs.task_files import located
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.invocation import command
from reward_agent.llm import require_price
from reward_agent.optimise import check_settings
from reward_agent.search import vet_initial
from reward_agent.sittings import MAY_CHANGE
from reward_agent.store import MANIFEST
from reward_agent.sweep.options import make_config
from reward_agent.sweep.spec import Entry, Spec
from reward_agent.task import Task

FREE = frozenset(MAY_CHANGE) - {"llm"}
"""Options that change no result, so that a job stays the same job under others."""


@dataclass(frozen=True)
class Job:
    """One run of a sweep."""

    id: str
    """Of all that its result depends on."""
    task: str
    """Its id."""
    label: str
    """What it is called in the tables, with the others that differ from it by the seed alone."""
    config: RunConfig
    line: int
    """Of the file."""

    @property
    def seed(self) -> int:
        return self.config.seed

    @property
    def given(self) -> bool:
        """It evaluates a reward that was given, and searches for none."""
        return self.config.iterations == 0

    @property
    def folder(self) -> str:
        """Within the sweep's; without the label, which may change."""
        name = re.sub(r"[^A-Za-z0-9]+", "-", self.task.partition("/")[2] or self.task).strip("-")
        return f"{name}-{self.config.method}-s{self.seed}-{self.id}"

    def __str__(self) -> str:
        return f"{self.task}, {self.label}, seed {self.seed}"


def make_jobs(spec: Spec, root: Path) -> tuple[Job, ...]:
    """Every run that the file asks for: all of the first seed, then all of the second, so that rows fill together.

    Args:
        spec: what the file asks for.
        root: the folder of the sweep.

    Raises:
        UsageError, MissingComponentError: one of them could not start, with the line and what mends it.
    """
    rounds: dict[int, list[Job]] = {}
    seen: dict[tuple[str, str, int], Job] = {}
    twins: dict[str, Job] = {}
    origins: dict[str, tuple[str, int]] = {}
    for entry in spec.entries:
        config, task = _settled(entry, spec, root)
        # by whatever name, a shipped task of one id is one task
        origin = _source(config.task).partition(DISGUISE)[0]
        origin = origin if ".py" in origin else "shipped"
        before, line = origins.setdefault(task.id, (origin, entry.node.line))
        if before != origin:
            raise entry.node.wrong(
                f"{origin} has the id {task.id!r}, as the task of line {line} has ({before}), and tables go by it: "
                "rows of two tasks would stand together as one. Give one of them another `id`."
            )
        for number, seed in enumerate(entry.seeds):
            job = _job(entry, replace(config, seed=seed), task)
            named = (job.task, job.label, job.seed)
            if named in seen:
                raise entry.node.wrong(
                    f"{job} is asked for in line {seen[named].line} already. Give entries that differ a `name:` each."
                )
            twin = twins.setdefault(identity(replace(job.config, task=_source(job.config.task))), job)
            if twin is not job:
                raise entry.node.wrong(f"{job} is the very run that line {twin.line} calls {twin.label!r}.")
            seen[named] = job
            rounds.setdefault(number, []).append(job)
    jobs = tuple(job for number in sorted(rounds) for job in rounds[number])
    _vet(jobs, root)
    return jobs


def identity(config: RunConfig) -> str:
    """Ten hex digits of what a run's result depends on: a later release's new options do not make it another one."""
    usual = encode(RunConfig(config.task))
    facts = {name: value for name, value in encode(config).items() if name not in FREE and value != usual[name]}
    return hashlib.sha256(to_line({"task": config.task, **dict(sorted(facts.items()))}).encode()).hexdigest()[:10]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """How two encoded configs differ, as `budget 1000 → 2000`."""

    def shown(value: Any) -> str:
        return hashlib.sha256(to_line(value).encode()).hexdigest()[:8] if isinstance(value, dict) else str(value)

    names = sorted((old.keys() | new.keys()) - FREE - {"seed"})
    return tuple(
        f"{name} {shown(old.get(name))} → {shown(new.get(name))}" for name in names if old.get(name) != new.get(name)
    )


def _source(name: str) -> str:
    """A task's name, one for all that find the same: of a file with its whole path and the variable."""
    plain, mark, how = name.partition(DISGUISE)
    if ".py" in plain:
        path, variable = located(plain)
        plain = f"{path}:{variable}"
    return f"{plain}{mark}{how}"


def _settled(entry: Entry, spec: Spec, root: Path) -> tuple[RunConfig, Task]:
    config, left_open = make_config(entry, entry.seeds[0], spec.file)
    try:
        _refuse_unscored(config)
        config, task = settled_config(config, root=root, left_open=left_open)
        check_settings(config.optimiser, task.preset, config.settings)
        require_price(connect_llm(config, root), spec.budget)
    except (UsageError, MissingComponentError) as error:
        raise type(error)(f"{entry.node.where}: {entry.label}: {error}") from error
    return config, task


def _refuse_unscored(config: RunConfig) -> None:
    if not (task := find_task(config.task)).metrics:
        raise UsageError(
            f"The task {task.id} has no metric, and the rows of a sweep are compared by one: what is done there is "
            f"judged by comparison alone. Leave it out, or run it by itself: `{command()} run {config.task}`."
        )


def _job(entry: Entry, config: RunConfig, task: Task) -> Job:
    return Job(identity(config), task.id, entry.label, config, entry.node.line)


def _vet(jobs: Sequence[Job], root: Path) -> None:
    """Look at each given reward on its task, once, unless a run with it has begun."""
    begun = {(job.task, job.config.initial) for job in jobs if (root / job.folder / MANIFEST).exists()}
    wanted = {(job.task, job.config.initial): job for job in reversed(jobs) if job.config.initial}
    for key, job in wanted.items():
        if key not in begun and job.config.initial:
            try:
                vet_initial(job.config.initial, _task(job), job.config)
            except UsageError as error:
                raise UsageError(f"{job} (line {job.line} of the file): {error}") from error


def _task(job: Job) -> Task:
    return find_task(job.config.task)

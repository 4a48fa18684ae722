"""A sweep on disk: `sweep.json`, a folder a run, and what failed. What is done is read off the runs themselves."""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from reward_agent.codec import decode, encode
from reward_agent.config import RunConfig
from reward_agent.errors import UsageError
from reward_agent.files import write_atomically
from reward_agent.journal import RunBusyError
from reward_agent.result import RESULT, load_result
from reward_agent.store import MANIFEST, installed_versions
from reward_agent.sweep.jobs import Job, differences
from reward_agent.sweep.spec import Spec
from reward_agent.sweep.work import USED_UP, End

SWEEP, FAILURE, UNFINISHED, LOCK = "sweep.json", "failed.json", "unfinished.json", ".lock"
Status = Literal["new", "begun", "short", "failed", "done"]
"""Of a job, as the disk has it; `short` is done, but for what the sweep's budget would not pay."""


@dataclass(frozen=True)
class Kept:
    """A job as `sweep.json` has it."""

    id: str
    folder: str
    task: str
    label: str
    seed: int
    line: int
    """Of the file."""
    config: Mapping[str, Any]
    """Encoded."""


@dataclass(frozen=True)
class Manifest:
    """What a sweep was last started with."""

    name: str
    file: str
    spec: Mapping[str, Any]
    """The file's content."""
    jobs: tuple[Kept, ...]
    versions: Mapping[str, str]
    platform: str
    created: str
    """UTC, ISO 8601, as the next."""
    changed: str


@dataclass(frozen=True)
class Change:
    """How a file's jobs differ from those that its sweep had."""

    added: tuple[Job, ...]
    dropped: tuple[Kept, ...]
    told: tuple[str, ...]
    """Options by which dropped jobs differ from those of the same task, label and seed now."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the sweep: one process at a time works on it.

    Raises:
        RunBusyError: another one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunBusyError(
                f"Another process works on the sweep in {folder}. Wait for it, or stop it; `--table` shows what it has "
                "done so far without disturbing it."
            ) from error
        yield


def status(folder: Path, job: Job) -> Status:
    """Of a job of the sweep in `folder`."""
    run = folder / job.folder
    if (run / RESULT).is_file():
        result = load_result(run)
        return "short" if result and result.reason.startswith(USED_UP) else "done"
    if (run / FAILURE).is_file():
        return "failed"
    return "begun" if (run / MANIFEST).is_file() else "new"


def unended(folder: Path, job: Job) -> End | None:
    """Why the job has no result: how it failed, or for what it waited when the last sitting left it.

    None where it was not come to, or has a result, whatever a sitting before had left: a person may have ended its run
    with `resume`.
    """
    if status(folder, job) in ("short", "done"):
        return None
    return _end(folder / job.folder / FAILURE) or _end(folder / job.folder / UNFINISHED)


def keep_end(folder: Path, job: Job, end: End) -> None:
    """Write down why it is not done: one that failed is not tried again unless that is asked for."""
    name = {"failed": FAILURE, "waiting": UNFINISHED, "unpaid": UNFINISHED}.get(end.state)
    if name:
        (folder / job.folder).mkdir(parents=True, exist_ok=True)
        write_atomically(folder / job.folder / name, _pretty(encode(end)))


def forget_end(folder: Path, job: Job) -> None:
    for name in (FAILURE, UNFINISHED):
        (folder / job.folder / name).unlink(missing_ok=True)


def read_sweep(folder: Path) -> Manifest | None:
    """What the sweep in `folder` was last started with, if there is one.

    Raises:
        UsageError: the file is damaged.
    """
    path = folder / SWEEP
    if not path.is_file():
        if (folder / MANIFEST).is_file():
            raise UsageError(f"{folder} is a run, not a sweep. Give the sweep another `name:` in its file.")
        return None
    try:
        manifest: Manifest = decode(Manifest, json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}). Delete it and start again: the runs stay.") from error
    return manifest


def compare(before: Manifest | None, jobs: Sequence[Job]) -> Change:
    """How `jobs` differ from those that the sweep had."""
    had = before.jobs if before else ()
    now = {job.id for job in jobs}
    named = {(job.task, job.label, job.seed): job for job in jobs}
    dropped = tuple(kept for kept in had if kept.id not in now)
    told: dict[str, None] = {}
    for kept in dropped:
        other = named.get((kept.task, kept.label, kept.seed))
        told |= dict.fromkeys(differences(kept.config, encode(other.config)) if other else ())
    return Change(tuple(job for job in jobs if job.id not in {kept.id for kept in had}), dropped, tuple(told))


def keep_sweep(folder: Path, spec: Spec, jobs: Sequence[Job]) -> None:
    """Write `sweep.json`, with the time it was first written."""
    before = read_sweep(folder)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest(
        name=spec.name,
        file=str(spec.file.resolve()),
        spec=spec.plain,
        jobs=tuple(_kept(job) for job in jobs),
        versions=installed_versions(),
        platform=f"{platform.platform()}, {os.cpu_count()} cores",
        created=before.created if before else now,
        changed=now,
    )
    write_atomically(folder / SWEEP, _pretty(encode(manifest)))


def jobs_of(manifest: Manifest) -> tuple[Job, ...]:
    """The jobs that a sweep was last started with, without its file."""
    return tuple(
        Job(kept.id, kept.task, kept.label, decode(RunConfig, kept.config), kept.line) for kept in manifest.jobs
    )


def _kept(job: Job) -> Kept:
    return Kept(job.id, job.folder, job.task, job.label, job.seed, job.line, encode(job.config))


def _end(path: Path) -> End | None:
    try:
        text = path.read_text()
    except FileNotFoundError:  # or forgotten a moment ago, by the process that works on it
        return None
    end: End = decode(End, json.loads(text))
    return end


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()

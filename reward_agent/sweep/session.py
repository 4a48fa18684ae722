"""One start of a sweep: from its file to what is left to do, and that done. What the command line and Python call.

sweep = prepare_sweep(Path("sweep.yaml"))
run_sweep(sweep, LocalExecutor())
rows, files = write_report(sweep.folder, sweep.jobs)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reward_agent.errors import UsageError
from reward_agent.sweep.components import require_all
from reward_agent.sweep.conduct import Agenda, SweepEvent, agenda, conduct
from reward_agent.sweep.executor import Executor
from reward_agent.sweep.folder import Change, compare, keep_sweep, locked, read_sweep
from reward_agent.sweep.jobs import Job, make_jobs
from reward_agent.sweep.spec import Spec, read_spec
from reward_agent.wording import count

RUNS = Path("runs")


@dataclass(frozen=True)
class Sweep:
    """A sweep that nothing stands in the way of."""

    spec: Spec
    folder: Path
    jobs: tuple[Job, ...]
    change: Change
    """Against what it was last started with."""
    left: Agenda
    retry_failed: bool
    again: str
    """The arguments of the command that goes on with it."""


def prepare_sweep(
    file: Path, root: Path = RUNS, *, retry_failed: bool = False, drop: bool = False, again: str = ""
) -> Sweep:
    """Read a sweep's file, check every run of it, and see what is left to do. Nothing is written.

    Args:
        file: the YAML.
        root: where the sweep's folder is, by its name.
        retry_failed: try jobs again that failed, but for searches that came to their end and found nothing.
        drop: go on though jobs that the sweep had are no longer in the file.
        again: the arguments of the command that goes on, for messages; `sweep FILE` unless given.

    Raises:
        UsageError: the file, or a run of it, is not as it should be; or jobs are gone from it.
        MissingComponentError: this machine lacks something, with the command that installs it.
    """
    require_all()
    spec = read_spec(file)
    folder = root / spec.name
    before = read_sweep(folder)
    jobs = make_jobs(spec, folder)
    change = compare(before, jobs)
    if change.dropped and not drop:
        raise UsageError(_gone(change, folder))
    left = agenda(folder, jobs, spec.budget, retry_failed=retry_failed)
    return Sweep(spec, folder, jobs, change, left, retry_failed, again or f"sweep {file}")


def run_sweep(sweep: Sweep, executor: Executor, events: Callable[[SweepEvent], None] = lambda event: None) -> None:
    """Do what is left; how each job of it ended is told to `events`, and kept in its folder.

    Raises:
        RunBusyError: another process works on it.
        InterruptedRunError: Ctrl-C. All that was done is saved.
    """
    with locked(sweep.folder):
        # again: another process may have worked on it until now
        left = agenda(sweep.folder, sweep.jobs, sweep.spec.budget, retry_failed=sweep.retry_failed)
        keep_sweep(sweep.folder, sweep.spec, sweep.jobs)
        conduct(sweep.folder, left.todo, executor, sweep.spec.budget, events, again=sweep.again)


def _gone(change: Change, folder: Path) -> str:
    some = ", ".join(f"{kept.task} {kept.label} seed {kept.seed}" for kept in change.dropped[:4])
    some += ", …" if len(change.dropped) > 4 else ""
    differ = f" They differ from those in the file now in {'; '.join(change.told)}." if change.told else ""
    return (
        f"The sweep in {folder} had {count(len(change.dropped), 'job')} that the file no longer asks for ({some})."
        f"{differ} Put them back, give the changed sweep a `name:` of its own, or go on without them with `--drop`: "
        "what they did stays on disk, and what the file adds is run."
    )

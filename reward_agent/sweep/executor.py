"""Where jobs run: anything that takes a function with its argument and gives back what it returned.

A job is a module-level function `f(argument, progress, stop) -> result`, as `workers.Job` has it: argument, progress
and result are pickled, so it may run in another process, or on another machine that sees the sweep's folder.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reward_agent.errors import RewardAgentError
from reward_agent.workers import Job, Pool, cores


@dataclass(frozen=True)
class Resources:
    """What a job may use of the machine it runs on; its argument tells it the same."""

    cores: int = 1


@dataclass(frozen=True)
class Work:
    """One job as an executor is given it."""

    function: Callable[[Any, Callable[[object], None], Callable[[], bool]], Any]
    argument: object
    resources: Resources = Resources()


class Executor(Protocol):
    """Runs jobs, as many at a time as there are resources for."""

    @property
    def cores(self) -> int:
        """To share among the jobs."""
        ...

    def run(
        self, work: Mapping[str, Work], moved: Callable[[str, Any], None], started: Callable[[str], None]
    ) -> Generator[tuple[str, Any | RewardAgentError], None, None]:
        """Results by key as they come; an error in place of a job's that had none, which stops no other.

        Args:
            work: in the order to begin in, by key.
            moved: told what a job reports of its progress.
            started: told each job as it begins.

        Closing the generator early stops the jobs under way: their `stop()` becomes true, and they have some time.
        """
        ...


class LocalExecutor:
    """Processes on this machine's cores; they end with this one, however it ends."""

    def __init__(self, jobs: int | None = None, logs: Path | None = None) -> None:
        """`jobs`: cores to use, all that there are unless given; `logs`: a folder for what the processes print."""
        self.cores = jobs or cores()
        self._logs = logs

    def run(
        self, work: Mapping[str, Work], moved: Callable[[str, Any], None], started: Callable[[str], None]
    ) -> Generator[tuple[str, Any | RewardAgentError], None, None]:
        """See `Executor`."""
        jobs = {key: Job(each.function, each.argument, cores=each.resources.cores) for key, each in work.items()}
        with Pool[str](self.cores, self._logs) as pool:
            yield from pool.run(jobs, moved, started, keep_going=True)

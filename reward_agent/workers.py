"""A pool of worker processes that lives as long as a run: one job each at a time, with progress, stop and kill.

A job is a module-level function `f(argument, progress, stop) -> result`; argument, progress and result are pickled.
Workers are spawned, ignore Ctrl-C and SIGTERM (the parent tells them to stop) and end when the parent is gone, however
it went.
A worker's output goes to a file, of which the end is shown when it crashes.
"""

from __future__ import annotations

import faulthandler
import math
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Generator, Hashable, Mapping
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.util import Finalize
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar

from reward_agent.envs.task_files import pack
from reward_agent.errors import RewardAgentError, UsageError

K = TypeVar("K", bound=Hashable)

GRACE = 30.0
"""Seconds a worker has to reach its next safe point once it is told to stop."""
IGNORED = (signal.SIGINT, signal.SIGTERM)
"""By workers."""


class WorkerCrashError(RewardAgentError):
    """A worker ended without a result: a defect of ours or of the machine (as too little memory)."""


class JobTimeoutError(RewardAgentError):
    """A job was not done within its time."""


@dataclass(frozen=True)
class Job:
    """`function(argument, progress, stop)` to run in a worker.

    `progress(value)` reaches the caller of `Pool.run`; a function whose `stop()` has become true saves what it has
    and returns at its next safe point (what it returns then is dropped).
    """

    function: Callable[[Any, Callable[[object], None], Callable[[], bool]], Any]
    argument: object
    seconds: float | None = None
    """After which its worker is killed, the start of the process included; as long as it takes unless given."""
    cores: int = 1
    """Of the pool's `jobs` that it takes up; one that wants more than there are runs alone."""


class _Progress(NamedTuple):
    value: object


class _Result(NamedTuple):
    value: Any


class _Error(NamedTuple):
    error: RewardAgentError


class _Taken(NamedTuple, Generic[K]):
    """What a worker works on."""

    key: K
    cores: int
    seconds: float | None
    deadline: float
    """By the monotonic clock."""


@dataclass(frozen=True, eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    log: Path


class Pool(Generic[K]):
    """Runs jobs side by side in up to `jobs` worker processes, started when first needed and kept warm."""

    def __init__(self, jobs: int | None = None, logs: Path | None = None) -> None:
        """`jobs`: processes at once, as many as there are cores unless given; `logs`: a folder for their output."""
        if jobs is not None and jobs < 1:
            raise UsageError(f"At least one job must run at a time, not {jobs}.")
        self.jobs = jobs or cores()
        self._temporary = None if logs else tempfile.TemporaryDirectory(prefix="reward-agent-")
        self._logs = logs or Path(self._temporary.name if self._temporary else "")
        self._logs.mkdir(parents=True, exist_ok=True)
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, _Taken[K]] = {}
        self._started = 0
        # workers are no daemons, for those may have no children (a batch's environments may step in some): an
        # interpreter that ends would wait for them
        self._at_exit = Finalize(self, _kill_all, (self._idle, self._busy), exitpriority=100)

    def run(
        self,
        jobs: Mapping[K, Job],
        progress: Callable[[K, Any], None] | None = None,
        started: Callable[[K], None] | None = None,
        *,
        keep_going: bool = False,
    ) -> Generator[tuple[K, Any], None, None]:
        """Results by key as they come, in whatever order; all jobs are stopped when the generator is closed early.

        `started` is told each job as a worker takes it, `progress` what it reports. With `keep_going` a job that failed
        stops no other: its error comes in place of its result.

        Raises:
            WorkerCrashError: a worker ended without a result.
            JobTimeoutError: a job was not done within its time.
            RewardAgentError: what a job raised.
            UsageError: a job cannot be sent to another process.
        """
        waiting = list(jobs.items())
        try:
            while waiting or self._busy:
                while waiting and self._has_room(waiting[0][1]):
                    key, job = waiting.pop(0)
                    self._assign(key, job)
                    if started:
                        started(key)
                ready, now = wait([worker.connection for worker in self._busy], self._patience()), time.monotonic()
                for worker, taken in list(self._busy.items()):
                    if worker not in self._busy:  # `progress` may stop the pool
                        continue
                    try:
                        message = self._receive(worker) if worker.connection in ready else None
                        if now >= taken.deadline and (message is None or isinstance(message, _Progress)):
                            self._give_up(worker)
                    except (WorkerCrashError, JobTimeoutError) as error:
                        if not keep_going:
                            raise
                        yield taken.key, error
                        continue
                    if message is None or isinstance(message, _Progress):
                        if message and progress:
                            progress(taken.key, message.value)
                        continue
                    key = self._busy.pop(worker).key
                    self._idle.append(worker)
                    if isinstance(message, _Error) and not keep_going:
                        raise message.error
                    yield key, message.error if isinstance(message, _Error) else message.value
        finally:
            if self._busy:
                self.stop()

    def stop(self, grace: float = GRACE) -> None:
        """Tell every worker to save and stop; kill those that have not within `grace` seconds, or at a Ctrl-C."""
        try:
            for worker in self._busy:
                _send(worker.connection, "stop")
            deadline = time.monotonic() + grace
            for worker in self._busy:
                while worker.process.is_alive() and (left := deadline - time.monotonic()) > 0:
                    if worker.connection.poll(left) and not isinstance(self._read(worker), _Progress):
                        break
        finally:
            for worker in self._busy:
                _kill(worker)
            self._busy.clear()

    def close(self) -> None:
        """End all workers."""
        _kill_all(self._idle, self._busy)
        self._at_exit.cancel()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _has_room(self, job: Job) -> bool:
        return not self._busy or sum(taken.cores for taken in self._busy.values()) + job.cores <= self.jobs

    def _assign(self, key: K, job: Job) -> None:
        try:
            packed = pack(job)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UsageError(
                f"{error}. Training happens in processes of its own, which must be able to import the task: put it "
                "into a file and name it as `path/to/file.py:variable`, or define its functions in a module."
            ) from error
        if not self._idle:
            self._start()
        worker = self._idle.pop()
        deadline = math.inf if job.seconds is None else time.monotonic() + job.seconds
        self._busy[worker] = _Taken(key, job.cores, job.seconds, deadline)
        _send(worker.connection, packed)

    def _patience(self) -> float | None:
        """Seconds to the first deadline; None where no job has one."""
        first = min((taken.deadline for taken in self._busy.values()), default=math.inf)
        return None if math.isinf(first) else max(0.0, first - time.monotonic())

    def _give_up(self, worker: _Worker) -> None:
        taken = self._busy.pop(worker)
        _kill(worker)
        raise JobTimeoutError(f"{taken.key} was not done within {taken.seconds:g} s, and its process was ended.")

    def _start(self) -> None:
        """Add an idle worker."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        log = self._logs / f"worker-{self._started}.log"
        self._started += 1
        process = context.Process(target=_work, args=(theirs, log), daemon=False)
        # the first start of a process starts this as well, which unblocks the signals
        resource_tracker.ensure_running()
        # inherited: what a group is sent while the worker's interpreter starts waits until it ignores it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
        try:
            process.start()
            self._idle.append(_Worker(process, ours, log))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def _receive(self, worker: _Worker) -> Any:
        message = self._read(worker)
        if message is None:
            key = self._busy.pop(worker).key
            worker.process.join()
            if not worker.log.exists():
                raise WorkerCrashError(
                    f"The process for {key} could not begin (exit code {worker.process.exitcode}). Each imports the "
                    'script that was started: keep what the script does under `if __name__ == "__main__":`. What was '
                    "done is saved."
                )
            output = worker.log.read_text(errors="replace").strip()
            raise WorkerCrashError(
                f"The process working on {key} ended with exit code {worker.process.exitcode} and no result. What was "
                f"done is saved. The end of its output:\n{output[-2000:] or '(none)'}"
            )
        return message

    def _read(self, worker: _Worker) -> Any:
        """The next message, or None when the worker is gone."""
        try:
            return worker.connection.recv()
        except (EOFError, OSError):
            return None


def _kill(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.connection.close()


def _kill_all(idle: list[_Worker], busy: dict[_Worker, Any]) -> None:
    for worker in (*idle, *busy):
        _kill(worker)
    idle.clear()
    busy.clear()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _send(connection: Connection, message: object) -> None:
    try:
        connection.send(message)
    except (BrokenPipeError, ConnectionResetError):
        # the worker is gone; reading from it says so, with the end of its output
        return


def _work(connection: Connection, log: Path) -> None:
    """A worker's life: jobs from the pipe, until its other end is gone."""
    # a terminal or a batch system sends them to every process: what these start, as cells, must not die of them either,
    # or a program would be blamed
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
    # one core each: threads of numpy and torch that share a core slow each other down many times over
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")
    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    faulthandler.enable()
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    stop = threading.Event()

    def listen() -> None:
        while True:
            try:
                message = connection.recv()
            except (EOFError, OSError):
                # the parent is gone: nobody wants the result, and cells die with this process
                os._exit(1)
            if message == "stop":
                stop.set()
            else:
                jobs.put(message)

    threading.Thread(target=listen, name="listen", daemon=True).start()
    # jobs run in the main thread: a cell dies with the thread that started it
    while True:
        job: Job = pickle.loads(jobs.get())
        try:
            result: object = _Result(job.function(job.argument, lambda v: connection.send(_Progress(v)), stop.is_set))
        except RewardAgentError as error:
            result = _Error(_plain(error))
        except BaseException:
            # at once: an interpreter that ends sends its daemons the SIGTERM that they ignore, and waits for them
            traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
        connection.send(result)


def _plain(error: RewardAgentError) -> RewardAgentError:
    """The error as something another process can read: of its nearest class that takes just a message."""
    for kind in type(error).__mro__:
        try:
            copy = pickle.loads(pickle.dumps(kind(str(error))))
        except (TypeError, AttributeError, pickle.PicklingError):
            continue
        if isinstance(copy, RewardAgentError):
            return copy
    return RewardAgentError(str(error))

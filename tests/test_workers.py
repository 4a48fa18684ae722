"""The pool: jobs run side by side, faults and crashes reach the caller, and nothing outlives the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jobs_for_workers as jobs
import pytest

from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError
from reward_agent.workers import Job, JobTimeoutError, Pool, WorkerCrashError


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool[str]]:
    with Pool[str](2) as pool:
        yield pool


def ignore(key: object, value: object) -> None:
    pass


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def gone(pid: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_results_and_progress_come_back_by_key(pool: Pool[str]) -> None:
    told: dict[str, object] = {}
    results = dict(pool.run({f"{n}": Job(jobs.square, n) for n in range(5)}, told.__setitem__))
    assert {key: value for key, (value, _) in results.items()} == {f"{n}": n**2 for n in range(5)}
    assert told["3"] == "squaring 3"
    assert len({pid for _, pid in results.values()} - {os.getpid()}) <= 2, "two workers are kept and used again"


def test_jobs_run_side_by_side(pool: Pool[str], tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    pairs = {"one": Job(jobs.wait_for, (one, two)), "two": Job(jobs.wait_for, (two, one))}
    assert dict(pool.run(pairs, ignore)) == {"one": True, "two": True}


def test_errors_keep_their_class_and_text(pool: Pool[str]) -> None:
    with pytest.raises(MissingComponentError, match="apt-get install tea"):
        list(pool.run({"a": Job(jobs.lacking, "apt-get install tea")}, ignore))
    # this one is built from a fault, not from a text, so that its class cannot come across
    with pytest.raises(RewardAgentError, match="no tea"):
        list(pool.run({"a": Job(jobs.at_fault, "no tea")}, ignore))


def test_a_crash_says_what_happened(pool: Pool[str]) -> None:
    with pytest.raises(WorkerCrashError, match=r"(?s)exit code -11.*last words"):
        list(pool.run({"a": Job(jobs.die, "last words")}, ignore))
    with pytest.raises(WorkerCrashError, match=r"(?s)exit code 1.*ZeroDivisionError: oh"):
        list(pool.run({"a": Job(jobs.stumble, "oh")}, ignore))
    assert dict(pool.run({"a": Job(jobs.square, 2)}, ignore))["a"][0] == 4, "the pool goes on"


def test_a_job_that_fails_stops_no_other_where_it_need_not(pool: Pool[str]) -> None:
    wanted = {"crash": Job(jobs.die, "last words"), "error": Job(jobs.lacking, "no tea"), "fine": Job(jobs.square, 3)}
    ends = dict(pool.run(wanted | {"late": Job(jobs.deaf, None, seconds=4.0)}, ignore, keep_going=True))
    kinds = {key: type(end) for key, end in ends.items()}
    assert kinds == {
        "crash": WorkerCrashError,
        "error": MissingComponentError,
        "fine": tuple,
        "late": JobTimeoutError,
    }
    assert "last words" in str(ends["crash"]) and ends["fine"][0] == 9


def test_a_job_takes_as_many_cores_as_it_says(pool: Pool[str], tmp_path: Path) -> None:
    # two wait for one another beside it: in a pool of two they can only meet once the wide one is gone
    one, two = tmp_path / "one", tmp_path / "two"
    order: list[str] = []
    wanted = {
        "wide": Job(jobs.square, 1, cores=5),
        "one": Job(jobs.wait_for, (one, two)),
        "two": Job(jobs.wait_for, (two, one)),
    }
    busy: list[int] = []

    def started(key: str) -> None:
        order.append(key)
        busy.append(len(pool._busy))

    ends = dict(pool.run(wanted, ignore, started))
    assert order == ["wide", "one", "two"] and busy == [1, 1, 2]
    assert ends["one"] and ends["two"]


def test_a_script_that_runs_itself_again_in_its_workers_is_told_how_not_to(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from reward_agent.workers import Job, Pool\n\nwith Pool(1) as pool:\n    list(pool.run({1: Job(print, 1)}))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and 'under `if __name__ == "__main__":`' in done.stderr


def test_what_cannot_be_sent_is_the_callers_mistake(pool: Pool[str]) -> None:
    with pytest.raises(UsageError, match=r"file\.py:variable"):
        list(pool.run({"a": Job(jobs.square, lambda: 3)}, ignore))


def test_stop_lets_a_job_save(tmp_path: Path) -> None:
    pids = []

    def interrupt(key: str, pid: int) -> None:
        pids.append(pid)
        raise KeyboardInterrupt

    with Pool[str](1) as pool:
        with pytest.raises(KeyboardInterrupt):
            list(pool.run({"a": Job(jobs.save_when_told, tmp_path / "file")}, interrupt))
        assert (tmp_path / "file").read_text() == "saved"
        assert gone(pids[0])


def test_a_deaf_job_is_killed() -> None:
    pids: list[int] = []
    with Pool[str](1) as pool:

        def kill(key: str, pid: int) -> None:
            pids.append(pid)
            pool.stop(grace=0.1)

        assert list(pool.run({"a": Job(jobs.deaf, None)}, kill)) == []
        assert gone(pids[0])


@pytest.mark.parametrize("job", [jobs.deaf, jobs.talk])
def test_a_job_that_takes_too_long_is_killed_and_the_pool_goes_on(job: Callable[..., None]) -> None:
    pids: set[int] = set()
    with Pool[str](1) as pool:
        list(pool.run({"a": Job(jobs.square, 2)}))  # the process has started
        with pytest.raises(JobTimeoutError, match=r"a was not done within 0\.5 s"):
            list(pool.run({"a": Job(job, None, seconds=0.5)}, lambda key, pid: pids.add(pid)))
        assert len(pids) == 1 and gone(pids.pop())
        assert dict(pool.run({"a": Job(jobs.square, 2, seconds=60.0)}))["a"][0] == 4


def test_time_spent_on_another_result_is_not_the_jobs(pool: Pool[str]) -> None:
    """What was done in time counts, however late it is asked for."""
    list(pool.run({key: Job(jobs.pause, 0.1) for key in "ab"}))  # the processes have started
    found = []
    for key, _ in pool.run({key: Job(jobs.pause, 0.1, seconds=2.0) for key in "ab"}):
        found.append(key)
        time.sleep(2.5 if len(found) == 1 else 0.0)
    assert sorted(found) == ["a", "b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "kill"])
def test_a_signal_while_a_worker_starts_does_not_end_it(number: signal.Signals, repository: Path) -> None:
    """A terminal and a batch system send it to every process, also to one whose interpreter is just starting."""
    script = f"""
import signal, sys, threading
sys.path.insert(0, {str(repository / "tests")!r})
import jobs_for_workers as jobs
from reward_agent.workers import Job, Pool

def run():
    with Pool(2) as pool:
        print(*(value for key, value in pool.run({{key: Job(jobs.signals, None) for key in "ab"}})), flush=True)
    print(signal.pthread_sigmask(signal.SIG_BLOCK, ()), flush=True)

run()
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    sent: set[int] = set()
    while parent.poll() is None:
        for pid in starting(parent.pid) - sent:
            os.kill(pid, number)
            sent.add(pid)
    said, wrong = parent.communicate()
    assert said == "(True, True) (True, True)\nset()\n" * 2, wrong
    assert len(sent) == 4


def starting(parent: int) -> set[int]:
    """Workers below a process, from when their interpreter begins."""
    found = set()
    for thread in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            children = thread.read_text().split()
            found |= {int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_workers_end_when_the_parent_is_killed(tmp_path: Path, repository: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(repository / "tests")!r})
import jobs_for_workers as jobs
from reward_agent.workers import Job, Pool
for _ in Pool(1).run({{"a": Job(jobs.deaf, None)}}, lambda key, pid: print(pid, flush=True)):
    pass
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert alive(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(worker)


def test_at_least_one_job() -> None:
    with pytest.raises(UsageError, match="not 0"):
        Pool(0)

"""A sweep that is stopped, killed or out of money goes on where it was, and ends as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import runs_for_tests as runs
from loopback import Loopback, say
from sweeps_for_tests import TINY, answer, call, command, environment, rows, write

pytestmark = pytest.mark.needs("rliable")

ENTRIES = [
    {"name": "good", "reward": "good.py"},
    {"name": "timid", "reward": "timid.py"},
    {"name": "search", "method": "eureka", "llm": "replay:replies.jsonl"},
]


def start(place: Path, *words: str) -> subprocess.Popen[str]:
    own = command("sweep.yaml", "--no-measure", *words)
    return subprocess.Popen(
        own, cwd=place, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(process: subprocess.Popen[str], pattern: str, place: Path, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not list(place.glob(pattern)) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_killed_three_times_it_ends_with_the_same_table(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("undisturbed", "killed")]
    found: list[dict[str, Any]] = []
    for place in places:
        place.mkdir()
        write(place, entries=ENTRIES, seeds=2)
        if place.name == "killed":
            moments = random.Random(5)
            # anywhere from its first run's beginning on, and after some runs are done
            for pattern in ("runs/sweep/*/run.json", "runs/sweep/*/final/*/*/training/*", "runs/sweep/*/result.json"):
                process = start(place)
                until(process, pattern, place)
                time.sleep(moments.uniform(0.0, 1.0))
                process.kill()
                process.communicate()
        found.append(answer("sweep.yaml", cwd=place))
    assert rows(found[0]) == rows(found[1])
    curves = [(place / "runs/sweep/curves.csv").read_text() for place in places]
    # before and after its one rollout
    assert curves[0] == curves[1] and len(set(curves[0].splitlines())) == 1 + 6 * 2
    policies = [
        {
            path.parent.name: json.loads(path.read_text())["policy_sha256"]
            for path in place.glob("runs/sweep/*/result.json")
        }
        for place in places
    ]
    assert list(map(len, policies)) == [6, 6]
    assert sorted(policies[0].values()) == sorted(policies[1].values())


def test_ctrl_c_saves_and_tells_the_command(tmp_path: Path) -> None:
    write(tmp_path, entries=ENTRIES[:1], defaults=TINY | {"budget": 2_000_000})
    process = start(tmp_path, "--jobs", "1")
    until(process, "runs/sweep/*/final/*/*/training/*", tmp_path)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "what was done is saved" in said and "sweep sweep.yaml --jobs 1` goes on from here" in said
    assert "Traceback" not in said
    (checkpoint,) = tmp_path.glob("runs/sweep/*/final/*/*/training/*")
    assert checkpoint.stat().st_size > 0
    assert not list(tmp_path.glob("runs/sweep/*/failed.json"))
    planned = answer("sweep.yaml", "--dry-run", cwd=tmp_path)
    assert [job["state"] for job in planned["jobs"]] == ["to do"]


def tree(pid: int) -> list[int]:
    """The process and all below it, itself first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    # a worker starts its own from its main thread
    return [pid, *(below for child in children for below in tree(int(child)))]


def test_kill_saves_as_ctrl_c_does_and_leaves_no_process(tmp_path: Path) -> None:
    write(tmp_path, entries=ENTRIES[:1], defaults=TINY | {"budget": 2_000_000})
    process = start(tmp_path, "--jobs", "1")
    until(process, "runs/sweep/*/final/*/*/training/*", tmp_path)
    everything = tree(process.pid)
    assert len(everything) > 3, "workers, and the cell of the training"
    # as a batch system does it: to each process, with the sweep's own coming last, and twice
    for pid in reversed(everything[1:]):
        os.kill(pid, signal.SIGTERM)
    time.sleep(1.0)
    assert all(map(alive, everything))
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "what was done is saved" in said and "sweep sweep.yaml --jobs 1` goes on from here" in said
    assert "Traceback" not in said
    deadline = time.monotonic() + 20
    while any(map(alive, everything)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, everything))
    assert list(tmp_path.glob("runs/sweep/*/final/*/*/training/*"))
    assert not list(tmp_path.glob("runs/sweep/*/failed.json"))
    (journal,) = tmp_path.glob("runs/sweep/*/journal.jsonl")
    assert '"fault' not in journal.read_text().lower().replace('"faults":[]', ""), "no program is blamed for it"
    planned = answer("sweep.yaml", "--dry-run", cwd=tmp_path)
    assert [job["state"] for job in planned["jobs"]] == ["to do"]


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_the_budget_is_that_of_all_runs_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Loopback() as server:
        server.answer = lambda request: say(f"```python\n{runs.GOOD}\n```", tokens=(1_000, 100))
        asked = {"name": "asked", "method": "eureka", "llm": "openai:m", "base_url": server.openai_url}
        asked |= {"iterations": 1, "candidates": 1, "prices": [2, 10]}
        write(tmp_path, entries=[asked, ENTRIES[0]], seeds=3, max_tokens=2_000)
        found = answer("sweep.yaml", "--jobs", "1", cwd=tmp_path, code=1)
        assert len(server.requests) == 2, "1,100 tokens are less than 2,000, 2,200 are not"
        (unpaid,) = found["waiting"]
        assert unpaid["state"] == "unpaid" and "2,200 of 2,000 tokens" in unpaid["message"]
        row = rows(found)["asked"]
        assert (row["done"], row["tokens"], row["usd"]) == (2, 2_200, pytest.approx(0.006))
        assert rows(found)["good"]["done"] == 3, "what asks nobody goes on"
        assert (row["jobs"], row["unpaid"], row["failed"]) == (3, 1, 0) and "1 job not paid for" in row["notes"]
        looked = answer("sweep.yaml", "--table", cwd=tmp_path)
        assert looked["waiting"] == [unpaid] and rows(looked) == rows(found), "whoever looks later is told as well"
        assert "1 of 3 jobs not done yet" in row["notes"]
        write(tmp_path, entries=[asked, ENTRIES[0]], seeds=3, max_usd=0.007)
        found = answer("sweep.yaml", cwd=tmp_path)
        assert len(server.requests) == 3 and rows(found)["asked"]["done"] == 3
        assert rows(found)["asked"]["unpaid"] == 0 and found["waiting"] == []


def test_a_search_cut_short_goes_on_under_a_larger_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Loopback() as server:
        server.answer = lambda request: say(f"```python\n{runs.TIMID}\n```", tokens=(100, 10))
        asked = {"name": "asked", "method": "eureka", "llm": "openai:m", "base_url": server.openai_url}
        asked |= {"iterations": 2, "candidates": 1}
        write(tmp_path, entries=[asked], max_tokens=100)
        found = answer("sweep.yaml", cwd=tmp_path)
        assert "1 search cut short by the budget" in rows(found)["asked"]["notes"]
        assert answer("sweep.yaml", cwd=tmp_path) == found and len(server.requests) == 1
        write(tmp_path, entries=[asked], max_tokens=1_000)
        found = answer("sweep.yaml", cwd=tmp_path)
        assert len(server.requests) == 2 and "cut short" not in rows(found)["asked"]["notes"]


def test_a_sweep_without_its_extra_says_how_to_get_it(tmp_path: Path) -> None:
    write(tmp_path, entries=ENTRIES)
    (tmp_path / "rliable.py").write_text("raise ImportError('no')\n")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path}:{env.get('PYTHONPATH', '')}"
    done = subprocess.run(command("sweep.yaml"), cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 3 and "pip install 'reward-agent[sweep]'" in done.stderr
    assert call("--help", cwd=tmp_path).stdout.startswith("usage: reward-agent sweep")

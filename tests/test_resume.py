"""A run killed with SIGKILL at any moment and resumed ends as an undisturbed one: same program, weights and score."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import runs_for_tests as runs

from reward_agent.codec import encode, to_line
from reward_agent.store import MANIFEST, read_steps, sha256

CLOCKS = ("seconds", "microseconds_per_call", "time", "layers")
"""What may differ: how long something took."""


def start(root: Path, configured: str, die_at: str = "never:0") -> subprocess.Popen[str]:
    command = [sys.executable, runs.__file__, str(root), "run", configured, die_at]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> int:
    _, errors = process.communicate(timeout=300)
    assert process.returncode in (0, -signal.SIGKILL), errors
    return process.returncode


def without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_clocks(item) for key, item in value.items() if key not in CLOCKS}
    return [without_clocks(item) for item in value] if isinstance(value, list) else value


def outcome(root: Path) -> dict[str, Any]:
    """All of a finished run that must not depend on how it went there."""
    folder = root / "run"
    result = json.loads((folder / "result.json").read_text())
    return {
        "result": result | {"folder": ""},
        "steps": {str(key): without_clocks(value) for key, value in sorted(read_steps(folder).items())},
        "policy": sha256(folder / "best" / "policy.safetensors"),
        "reward": (folder / "best" / "reward.py").read_text(),
        "files": sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and "logs" not in p.parts),
    }


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("replies") / "replies.jsonl"
    return to_line(encode(runs.config(runs.two_rounds(path), budget=2_048)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, configured: str) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("undisturbed")
    assert finish(start(root, configured)) == 0
    return outcome(root)


def test_killed_at_moments_all_over_the_run(tmp_path: Path, configured: str, undisturbed: dict[str, Any]) -> None:
    # between two replies, within a training, between the ends of two, in the second round, in the final trainings
    for moment in ("Replied:1", "TrainingProgress:3", "Evaluated:1", "Accepted:1", "Evaluated:3"):
        assert finish(start(tmp_path, configured, moment)) == -signal.SIGKILL
        assert not (tmp_path / "run/result.json").exists()
    assert finish(start(tmp_path, configured)) == 0
    assert outcome(tmp_path) == undisturbed


def test_killed_at_random_times(tmp_path: Path, configured: str, undisturbed: dict[str, Any]) -> None:
    times = random.Random(7)
    for _ in range(3):
        process = start(tmp_path, configured)
        deadline = time.monotonic() + 60
        while not (tmp_path / "run" / MANIFEST).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(times.uniform(0.0, 4.0))
        process.kill()
        finish(process)
    assert finish(start(tmp_path, configured)) == 0
    assert outcome(tmp_path) == undisturbed


def test_the_number_of_jobs_changes_nothing(tmp_path: Path, configured: str, undisturbed: dict[str, Any]) -> None:
    alone = json.loads(configured) | {"jobs": 1}
    assert finish(start(tmp_path, json.dumps(alone))) == 0
    assert outcome(tmp_path) == undisturbed

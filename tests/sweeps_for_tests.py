"""What tests of sweeps share: a file on the tiny world that ends in seconds, and the command as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pointmass
import runs_for_tests as runs

from reward_agent.messages import Key

TASK = f"{pointmass.__file__}:task"
HEAD = f"tasks: [{json.dumps(TASK)}]\n"
CLOSE = f"""
import sys
from dataclasses import replace

sys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})
from pointmass import pointmass_task

task = replace(pointmass_task(), metrics=pointmass_task().metrics[::-1])
"""
"""The tiny world judged by a distance: no two policies score the same, as they do where neither succeeds."""
TINY = {
    "budget": 512,
    "final_seeds": 1,
    "select_episodes": 4,
    "report_episodes": 4,
    "curve_points": 2,
    "settings": runs.SETTINGS,
}
LATE = runs.GOOD.replace(
    "    near =", "    if next_state.episode.time.max() > 2.9:\n        raise ValueError\n    near ="
)
"""Passes the probe, and fails in every training."""


def write(folder: Path, text: str = "", name: str = "sweep.yaml", **top: Any) -> Path:
    """A sweep's file, from text or from values (JSON is YAML), and what it may name.

    The rewards `good.py`, `timid.py` and `late.py`, the recording `replies.jsonl`, and the task in `close.py`, on which
    it is unless it names others.
    """
    (folder / "close.py").write_text(CLOSE)
    for reward, source in (("good", runs.GOOD), ("timid", runs.TIMID), ("late", LATE)):
        (folder / f"{reward}.py").write_text(source)
    runs.recording(folder / "replies.jsonl", {Key(0, 0, 0): runs.TIMID, Key(0, 1, 0): runs.GOOD})
    path = folder / name
    path.write_text(text or json.dumps({"tasks": ["close.py:task"], "defaults": TINY, **top}))
    return path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "reward_agent", "sweep", *words]


def environment() -> dict[str, str]:
    """Without any key, so that no test ever asks a model."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}


def call(*words: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*words), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def answer(*words: str, cwd: Path, code: int = 0) -> Any:
    return json.loads(call(*words, "--json", "--no-measure", cwd=cwd, code=code).stdout)


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of an answer, by label, without what a clock says."""
    return {row["reward"]: {k: v for k, v in row.items() if k != "seconds"} for row in found["rows"]}

"""The planner's benchmark in its small run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_the_quick_run_measures_all_that_the_whole_one_does(repository: Path) -> None:
    pytest.importorskip("gymnasium_robotics")
    environment = os.environ | {"PYTHONPATH": str(repository)}
    command = [sys.executable, str(repository / "benchmarks/planner.py"), "--quick"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    quick = json.loads(done.stdout)
    whole = json.loads((repository / "benchmarks/results/planner.json").read_text())
    assert quick.keys() == whole.keys()
    for name in quick.keys() - {"machine"}:
        assert quick[name].keys() == whole[name].keys()
        assert {row["samples"] for row in quick[name]["planner"]} == {16, 32}
        assert len(quick[name]["physics_alone"]) == 1

"""The sweeps that come with the project can start: every job of each file is checked as before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_agent.sweep.jobs import make_jobs
from reward_agent.sweep.spec import read_spec

pytestmark = pytest.mark.needs("rliable")

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("benchmarks/*.yaml"), *ROOT.glob("examples/*.yaml")])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_shipped_sweep_can_start(file: Path, tmp_path: Path) -> None:
    jobs = make_jobs(read_spec(file), tmp_path / "runs")
    assert len(jobs) >= 12


def test_there_are_such_files() -> None:
    assert len(FILES) >= 2

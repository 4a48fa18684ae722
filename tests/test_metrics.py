"""Metrics that many tasks share, and what they are made of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from metric_episodes import episode

from reward_agent.envs.mujoco import metrics

# plain quantities


def test_distance_height_and_time() -> None:
    state = SimpleNamespace(
        torso=SimpleNamespace(position=np.array([[1.0, 9, 0.1], [2.0, 9, 0.5], [3.5, 0, 1.0], [3.0, 0, 2.0]])),
        goal=SimpleNamespace(position=np.zeros((4, 3))),
    )
    made = episode(state, 3, 0.5)
    assert metrics.distance_travelled().score(made) == 2.0
    assert metrics.final_height("torso", 1.0).score(made) == 1.5
    assert metrics.final_distance("torso", "goal", 0.5, axes=2).score(made) == -3.0
    assert metrics.final_distance("torso", "goal", 0.5).score(made) == pytest.approx(-np.sqrt(13))
    assert metrics.time_alive().score(made) == 1.5
    assert metrics.time_alive().score(made._replace(terminated=True)) == 1.0


def test_native_return_sums_the_program_over_every_step(tmp_path: Path) -> None:
    program = tmp_path / "expert.py"
    program.write_text(
        "def compute_reward(state, action, next_state):\n"
        "    speed = (next_state.torso.x - state.torso.x) / constants.dt\n"
        "    effort = -(action**2).sum(-1)\n"
        "    return speed + effort, {'speed': speed, 'effort': effort}\n"
    )
    state = SimpleNamespace(torso=SimpleNamespace(x=np.array([0.0, 1.0, 3.0])))
    made = episode(state, 2, 0.5)._replace(action=np.array([[1.0], [2.0]]))
    assert metrics.native_return(program, ("torso.x",)).score(made) == 3.0 / 0.5 - 5.0


def test_runs_of_true() -> None:
    assert metrics.runs(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert metrics.runs(np.array([], bool)) == []

"""A metric of one's own that cannot judge is told of before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
import runs_for_tests as runs

from reward_agent.agent import prepare
from reward_agent.api import evaluate
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.metric_check import require_metrics
from reward_agent.task import Metric

HEAD = f"""import sys
from dataclasses import replace
import numpy as np

sys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})
from pointmass import pointmass_task
from reward_agent.task import Metric


def close(episode):
    return {{}}


task = replace(pointmass_task(), metrics=(Metric("close", "fitness", "how close", ("point.position",), close),))
"""


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("episode.state.point.postion[-1, 0]", "line 11: AttributeError: .* Did you mean 'position'"),
        ("episode.states", "line 11: AttributeError: .* Did you mean 'state'"),
        ("float('nan')", "gives nan"),
        ("'near'", "gives 'near', of type str"),
        ("episode.state.point.position", "gives .*, of type ndarray"),
    ],
)
def test_a_metric_that_cannot_judge_is_refused_with_its_line(score: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(HEAD.format(score))
    name = f"{tmp_path / 'own.py'}:task"
    reward = tmp_path / "good.py"
    reward.write_text(runs.GOOD)
    for refused in (lambda: evaluate(reward, name, budget=64), lambda: prepare(runs.config("manual", task=name))):
        with pytest.raises(UsageError, match=f"(?s)metric 'close', asked for the score .*{said}"):
            refused()


def test_metrics_that_can_are_let_pass_and_shipped_tasks_are_not_played() -> None:
    require_metrics(pointmass.task)
    shipped = find_task("mujoco/reacher-reach")

    def broken(episode: object) -> float:
        raise ValueError("is asked")

    require_metrics(shipped)
    own = replace(shipped, metrics=(Metric("own", "fitness", "one's own", (), broken),))
    with pytest.raises(UsageError, match="ValueError: is asked"):
        require_metrics(own)


def test_a_model_is_wanted_before_anything_is_trained() -> None:
    with pytest.raises(UsageError, match="leaves nobody to ask"):
        prepare(runs.config("none", task="mujoco/reacher-reach", initial=None))

"""What fails in a run costs no more than itself, and is told."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pointmass
import pytest
import runs_for_tests as runs
from numpy.typing import NDArray
from runs_for_tests import SMALL, Scripted

from reward_agent import agent, trainings
from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.events import (
    Evaluated,
    Event,
    Noted,
)
from reward_agent.history import Outcome
from reward_agent.messages import Key
from reward_agent.program import Fault, TrainingFault
from reward_agent.result import load_result
from reward_agent.schema import StateSchema
from reward_agent.store import read_steps
from reward_agent.task import Metric
from reward_agent.trainings import quoted
from reward_agent.trial import Trained


def test_a_program_that_fails_while_training_is_left_behind(tmp_path: Path) -> None:
    # later in an episode than the probe looks
    late = runs.GOOD.replace(
        "    near =", "    if next_state.episode.time.max() > 2.9:\n        raise ValueError\n    near ="
    )
    told: list[Event] = []
    config = runs.config("x", **SMALL | {"iterations": 2, "budget": 2_048})
    model = Scripted(late, runs.GOOD)
    result = agent.synthesize(config, llm=model, events=told.append, root=tmp_path, name="one")
    first = next(event for event in told if isinstance(event, Evaluated))
    assert isinstance(first.outcome, Fault) and first.outcome.stage == "optimise"
    assert result.iteration == 1
    assert "ValueError" in model.asked[1][1][-1].text, "the model is told"


@pytest.mark.parametrize(
    ("broken", "told_of"), [("crash", "exit code -6"), ("refusal", "not drawn"), ("hang", "not done within 5 s")]
)
def test_a_clip_that_fails_costs_the_clip_alone(
    tmp_path: Path, broken: str, told_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "hang":
        monkeypatch.setattr(trainings, "FILM_SECONDS", 5.0)
    task = replace(pointmass.pointmass_task(), id="pointmass/undrawable", world=Undrawable(broken=broken))
    told: list[Event] = []
    config = runs.config("x", **SMALL, video=True)
    result = agent.synthesize(config, llm=Scripted(runs.GOOD), task=task, events=told.append, root=tmp_path, name="one")
    assert load_result(tmp_path / "one") == result and result.video is None
    (noted,) = (event.text for event in told if isinstance(event, Noted) and "video" in event.text)
    assert told_of in noted


@dataclass(frozen=True)
class Undrawable(pointmass.PointMass):
    """A world whose pictures end the process or never come, as with drivers, or are refused."""

    broken: str = ""

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> pointmass.PointMassBatch:
        return UndrawableBatch(num_envs, fields, self.broken)


class UndrawableBatch(pointmass.PointMassBatch):
    def __init__(self, num_envs: int, fields: StateSchema, broken: str) -> None:
        super().__init__(num_envs, fields)
        self.broken = broken

    def render(self, row: int) -> NDArray[np.uint8]:
        if self.broken == "crash":
            os.abort()
        if self.broken == "hang":
            time.sleep(600)
        raise UsageError("this is not drawn")


def test_steps_of_a_failed_training_count(tmp_path: Path) -> None:
    late = runs.GOOD.replace(
        "    near =", "    if next_state.episode.time.max() > 2.9:\n        raise ValueError\n    near ="
    )
    told: list[Event] = []
    config = runs.config("x", **SMALL | {"iterations": 2, "budget": 2_048})
    result = agent.synthesize(config, llm=Scripted(late, runs.GOOD), events=told.append, root=tmp_path, name="one")
    first, second, final = (event.outcome for event in told if isinstance(event, Evaluated))
    assert isinstance(first, TrainingFault) and 0 < first.steps < 2_048
    assert isinstance(second, Outcome) and isinstance(final, Outcome)
    assert result.steps == first.steps + second.steps + final.steps
    journalled = read_steps(tmp_path / "one")[Key(0, 0, 0, "train")]
    assert decode(Trained | TrainingFault, journalled) == first


def test_a_failed_final_training_counts_as_doing_nothing() -> None:
    outcome = Outcome({}, {}, (), (), (), 10, 1.0)
    below = {"no-op": {"distance": (0.0, 0.0)}, "random": {"distance": (9.0, 9.0)}}
    trained, fault = Trained(outcome, {}, {"distance": (3.0, 5.0)}, {}), TrainingFault("optimise", "late")
    metrics = (Metric("distance", "fitness", "how far", (), lambda episode: 0.0),)
    assert quoted([trained, fault], below, metrics)["distance"].mean == 2.0
    assert quoted([trained, trained], below, metrics)["distance"].mean == 4.0
    assert quoted([fault, fault], below, metrics) == {}


def test_success_is_quoted_by_a_share_and_fitness_by_any_number() -> None:
    outcome = Outcome({}, {}, (), (), (), 10, 1.0)
    runs_of = [Trained(outcome, {}, {"success": (s,), "closeness": (s,)}, {}) for s in (0.0, 0.0, 1.0)]
    found = quoted(runs_of, {}, pointmass.task.metrics)
    assert found["success"].low == 0.0 and found["success"].high == 1.0
    assert found["closeness"].low < -1.0 and found["closeness"].high > 1.7


def test_nothing_trainable_is_an_error_that_says_why(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL, repairs=1)
    with pytest.raises(RewardAgentError, match=r"(?s)None of 1 candidates.*nearness"):
        agent.synthesize(config, llm=Scripted(runs.BROKEN, runs.BROKEN), root=tmp_path, name="one")


def test_wrong_names_are_told_before_anything_is_made(tmp_path: Path) -> None:
    for change, told in (({"method": "eurika"}, "eureka"), ({"task": "mujoco/hoper-forward"}, "hopper-forward")):
        with pytest.raises(UsageError, match=f"Did you mean .*{told}"):
            agent.synthesize(runs.config("x", **change), llm=Scripted(), root=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="base URL holds a key"):
        agent.synthesize(runs.config("x", base_url="http://me:pass1234word@host/v1"), llm=Scripted(), root=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="iterations must be at least 1"):
        runs.config("x", iterations=0)
    with pytest.raises(UsageError, match="may change"):
        agent.resume(tmp_path, changes={"seed": 3})


def test_rounds_are_refused_to_a_method_that_asks_nobody(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`reward-agent run TASK --method given --init FILE --iterations 0`"):
        agent.prepare(RunConfig(task="mujoco/hopper-forward", method="given"), root=tmp_path)

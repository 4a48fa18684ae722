"""A reward that was given is trained on and scored as a search's winner is, and nobody is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import runs_for_tests as runs
from runs_for_tests import SMALL, Scripted

from reward_agent import agent
from reward_agent.config import RunConfig
from reward_agent.errors import NoResultError, UsageError
from reward_agent.events import Evaluated, Event
from reward_agent.history import Outcome
from reward_agent.plan import make_plan
from reward_agent.program import Program
from reward_agent.store import read_steps

GIVEN = SMALL | {"method": "given", "iterations": 0}


def given(source: str, **changes: object) -> RunConfig:
    return runs.config(None, **GIVEN | {"initial": Program(source)} | changes)


def test_it_is_scored_as_the_winner_of_a_search_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none is needed, and one that is set is not used")
    told: list[Event] = []
    own = agent.synthesize(given(runs.GOOD), events=told.append, root=tmp_path, name="given")
    found = agent.synthesize(runs.config("x", **SMALL), llm=Scripted(runs.GOOD), root=tmp_path, name="found")
    assert own.program.source.strip() == found.program.source.strip()
    assert own.metrics["closeness"].low < own.metrics["closeness"].high
    assert (own.metrics, own.floors, own.policy_sha256) == (found.metrics, found.floors, found.policy_sha256)
    assert (own.method, own.llm, own.steps, found.steps) == ("given", "none", 512, 1_024)
    assert [type(event) for event in told].count(Evaluated) == 1, "nothing is trained to be compared"
    assert own.reward.is_file() and (own.best / "policy.safetensors").is_file()
    assert agent.resume(tmp_path / "given") == own


def test_a_plan_of_it_asks_nobody(tmp_path: Path) -> None:
    plan = make_plan(given(runs.GOOD, final_seeds=3), root=tmp_path, measure=False)
    assert (plan.search_trainings, plan.final_trainings, plan.steps) == (0, 3, 3 * 512)
    assert (plan.llm, plan.requests, plan.tokens, plan.usd) == ("none", 0, 0, 0.0)


def test_one_that_fails_in_every_training_has_no_result(tmp_path: Path) -> None:
    late = runs.GOOD.replace(
        "    near =", "    if next_state.episode.time.max() > 2.9:\n        raise ValueError\n    near ="
    )
    with pytest.raises(NoResultError, match=r"failed in every training from scratch: .*ValueError"):
        agent.synthesize(given(late, budget=2_048), root=tmp_path, name="late")


def test_rounds_want_somebody_to_ask_and_given_wants_a_reward(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"asks no model, so it has no rounds"):
        agent.prepare(replace(given(runs.GOOD, iterations=2), llm="none"))
    with pytest.raises(UsageError, match=r"asks no model, so it has no rounds"):
        agent.prepare(runs.config("none", method="given"))
    with pytest.raises(UsageError, match=r"leaves nobody to ask"):
        agent.synthesize(runs.config("none", **SMALL), root=tmp_path, name="none")


def test_curves_of_final_trainings_change_nothing_else(tmp_path: Path) -> None:
    outcomes = []
    for name, points in (("without", 0), ("with", 4)):
        config = given(runs.GOOD, budget=2_048, curve_points=points)
        told: list[Event] = []
        agent.synthesize(config, events=told.append, root=tmp_path, name=name)
        (outcome,) = (event.outcome for event in told if isinstance(event, Evaluated))
        assert isinstance(outcome, Outcome)
        outcomes.append(outcome)
    without, measured = outcomes
    assert (without.measured_at, len(without.success)) == ((2_048,), 1)
    # at the start, and between the rollouts of 512 steps
    assert measured.measured_at == (0, 512, 1_024, 1_536, 2_048)
    assert len(measured.success) == len(measured.task_score) == 5 and len(set(measured.task_score)) == 5
    assert measured.metrics == without.metrics and measured.task_score[-1] == without.task_score[-1]
    stages = {key.stage.partition("/")[0] for key in read_steps(tmp_path / "with")}
    assert stages == {"vet", "final", "floors"}

"""Judges who see the course of an episode: segments, short sight, and regret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driving import ARRIVES, DAWDLES, RESTS, RUSHES, closeness, driven, driver
from judged import NOBODY
from pointmass import numbered, task

from reward_agent.errors import UsageError
from reward_agent.judges import find_judge
from reward_agent.judges.course import Relay, gains, handed_over, recent
from reward_agent.optimise.policy import Policy
from reward_agent.scoring import roll_out
from reward_agent.task import Task

SEEDS = [3, 4, 5]


def scores(act: Policy | Relay, of: Task = task) -> list[float]:
    return roll_out(of, act, SEEDS, [closeness(of)])["closeness"].tolist()


@pytest.mark.parametrize("policy", [ARRIVES, RUSHES, DAWDLES])
def test_gains_add_up_to_the_score(policy: Policy) -> None:
    found = gains(task, policy, SEEDS, closeness())
    assert found.shape == (3, 50)
    assert found.sum(1).tolist() == pytest.approx(scores(policy))
    half = gains(task, policy, SEEDS, closeness(), 0.5)
    assert half.shape == (3, 30)
    assert half.sum(1).tolist() == pytest.approx(scores(policy, replace(task, horizon=30)))


def test_an_episode_that_ended_gains_nothing_more() -> None:
    found = gains(task, RUSHES, SEEDS, closeness())  # leaves the line after some 40 steps of 60
    assert (found[:, -5:] == 0).all() and (found[:, :30] != 0).all()


def test_who_forgets_weighs_the_end_most() -> None:
    found = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert recent(found, 0.0).tolist() == [1.0, 1.0]
    assert recent(found, 0.75).tolist() == pytest.approx([0.25, 1.0])
    assert recent(np.full((1, 3), 1.0), 0.75).tolist() == pytest.approx([0.25 + 0.5 + 1.0])
    assert recent(found, 1.0).tolist() == [0.0, 1.0]


def test_handing_over_to_oneself_changes_nothing() -> None:
    for share in (0.2, 0.5, 1.0):
        assert handed_over(task, ARRIVES, ARRIVES, SEEDS, closeness(), share).tolist() == scores(ARRIVES)
    assert handed_over(task, RESTS, ARRIVES, SEEDS, closeness(), 1.0).tolist() == scores(RESTS)
    between = np.array([handed_over(task, RESTS, ARRIVES, SEEDS, closeness(), share) for share in (0.1, 0.4, 0.8)])
    assert (np.diff(between, axis=0) < 0).all() and (between > scores(RESTS)).all()


def test_those_who_see_the_time_and_those_who_do_not_hand_over_to_each_other() -> None:
    timed = driver(-20.0, -10.0, 20.0, observe_time=True)
    for pair in [(timed, ARRIVES), (ARRIVES, timed), (timed, timed)]:
        assert handed_over(task, *pair, SEEDS, closeness(), 0.5).tolist() == pytest.approx(scores(ARRIVES))


def test_numbered_actions_are_handed_over() -> None:
    arrives, rests = driver(-20.0, -10.0, 20.0, discrete=True), driver(0.0, 0.0, 0.0, discrete=True)
    found = handed_over(numbered, arrives, rests, SEEDS, closeness(numbered), 0.5)
    assert (found > scores(rests, numbered)).all() and (found < scores(arrives, numbered)).all()


def test_three_models_of_what_people_prefer_differ(tmp_path: Path) -> None:
    """In the first half who rushes through is nearer on average; at its end, and from there on, who dawdles is."""
    asked = driven(tmp_path, RUSHES, DAWDLES, ARRIVES)
    pair = replace(asked, entrants=asked.entrants[:2], champion=replace(asked.entrants[2], at=(0, 9)))

    def best(spec: str) -> int | None:
        found = find_judge(f"metric:closeness,segment=0.5{spec}").compare(pair, NOBODY)
        assert found.beats_champion is False
        return found.best

    assert (best(""), best(",by=regret"), best(",myopia=1")) == (0, 1, 1)


def test_a_policy_that_is_gone_is_said(tmp_path: Path) -> None:
    asked = driven(tmp_path, RUSHES, DAWDLES)
    (asked.entrants[0].folder / "policy.safetensors").unlink()
    assert find_judge("metric").compare(asked, NOBODY).best == 0
    with pytest.raises(UsageError, match="holds no policy"):
        find_judge("metric:segment=0.5").compare(asked, NOBODY)

"""Scores of judgements against figures worked out by hand."""

from __future__ import annotations

import math

import pytest

from reward_agent.crediting.scores import Judged, score
from reward_agent.program import Fault

FAULT = Fault("extract", "nothing could be read")


def judged(*lines: str) -> list[Judged]:
    """Lines as `t0 10 11`: the trajectory; whether key and door are truly reached; whether it was said, `?` a fault."""
    found = []
    for line in lines:
        trajectory, truth, said = line.split()
        both = [None if each == "?" else {"key": each[0] == "1", "door": each[1] == "1"} for each in (truth, said)]
        found.append(Judged(trajectory, both[0] or {}, both[1] or FAULT))
    return found


def test_figures_by_hand() -> None:
    lines = ["a 10 10", "a 00 00", "a 00 01", "b 01 10", "b 01 00", "b 00 00", "b 00 ?", "c 10 10"]
    found = score(judged(*lines))
    assert (found.judged, found.faults, found.trajectories) == (8, 1, 3)
    any_ = found.any  # of seven: three rightly yes, one wrongly, one missed, two rightly no
    assert (any_.true_positives, any_.false_positives, any_.false_negatives, any_.true_negatives) == (3, 1, 1, 2)
    assert any_.accuracy.mean == pytest.approx(5 / 7) and any_.precision.mean == pytest.approx(3 / 4)
    assert any_.recall.mean == pytest.approx(3 / 4) and any_.f1.mean == pytest.approx(3 / 4)
    key, door = found.by_subgoal["key"], found.by_subgoal["door"]
    assert (key.true_positives, key.false_positives, key.false_negatives, key.true_negatives) == (2, 1, 0, 4)
    assert key.f1.mean == pytest.approx(4 / 5)
    assert door.f1.mean == 0 and door.precision.mean == 0 and door.recall.mean == 0
    assert any_.f1.low <= any_.f1.mean <= any_.f1.high and any_.f1.low < any_.f1.high


def test_nothing_to_divide_by_is_no_number() -> None:
    found = score(judged("a 00 00", "b 00 00")).any
    assert found.accuracy.mean == 1 and math.isnan(found.precision.mean) and math.isnan(found.f1.mean)
    assert math.isnan(found.f1.low)


def test_only_faults_have_no_score() -> None:
    found = score(judged("a 10 ?", "b 00 ?"))
    assert found.faults == 2 and math.isnan(found.any.accuracy.mean) and found.by_subgoal == {}
    with pytest.raises(ValueError, match="nothing"):
        score([])


def test_other_subgoals_are_scored_as_any() -> None:
    lines = [Judged("a", {"key": True}, {"gem": True}), Judged("b", {"key": False}, {"gem": False})]
    assert score(lines).any.f1.mean == 1 and score(lines).by_subgoal == {}


def test_intervals_are_over_trajectories_and_not_over_transitions() -> None:
    rightly, wrongly = ["a 10 10"] * 50, ["b 10 00"] * 50
    together = score(judged(*rightly, *wrongly)).any.recall
    assert together.low == 0 and together.high == 1, "two trajectories say little, however long they are"
    apart = [f"t{number} 10 {'10' if number % 2 else '00'}" for number in range(100)]
    many = score(judged(*apart)).any.recall
    assert 0.38 < many.low < 0.42 and 0.58 < many.high < 0.62  # 0.5 give or take 1.96 roots of 0.25 / 100
    assert score(judged(*apart), seed=1).any.recall.mean == many.mean

"""The hierarchy of factors: how it is written, how it decides, and what any task has without a metric."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driving import ARRIVES, DAWDLES, RESTS, RUSHES, driven, driver
from judged import NOBODY
from pointmass import numbered, task

from reward_agent.errors import UsageError
from reward_agent.history import Interval
from reward_agent.judges import Question, find_judge


def best(spec: str, asked: Question) -> int | None:
    return find_judge(f"factors:{spec}").compare(asked, NOBODY).best


def with_metrics(folder: Path, *values: tuple[float, float]) -> Question:
    """A round by success and closeness alone: no policy is needed."""
    asked = driven(folder, *[RESTS] * len(values))
    made = []
    for entrant, pair in zip(asked.entrants, values, strict=True):
        (entrant.folder / "policy.safetensors").unlink()
        metrics = {m.name: Interval(v, v, v) for m, v in zip(task.metrics, pair, strict=True)}
        made.append(replace(entrant, outcome=replace(entrant.outcome, metrics=metrics)))
    return replace(asked, entrants=tuple(made))


def test_the_first_factor_that_tells_two_apart_decides(tmp_path: Path) -> None:
    asked = with_metrics(tmp_path, (0.9, -1.0), (1.0, -2.0), (0.0, 0.0))
    assert best("success,closeness", asked) == 1
    assert best("closeness>success", asked) == 2
    assert best("success:0.2,closeness", asked) == 0  # the first two are alike by success
    assert best("success:20%>closeness", asked) == 0  # of a range of 1, the same
    assert best("success:5%,closeness", asked) == 1
    assert best("-success,closeness", asked) == 2


def test_no_number_is_the_worst_and_two_that_are_alike_are_tied(tmp_path: Path) -> None:
    asked = with_metrics(tmp_path, (float("nan"), 0.0), (0.0, -1.0))
    assert [best(spec, asked) for spec in ("success", "-success", "success:10%")] == [1, 1, 1]
    alike = find_judge("factors:success").compare(with_metrics(tmp_path, (1.0, 0.0), (1.0, -1.0)), NOBODY)
    assert [made.answer for made in alike.preferences] == ["tie"]


def test_any_task_has_length_effort_and_smoothness(tmp_path: Path) -> None:
    """No metric is known of these: the saved policies play again."""
    asked = driven(tmp_path, RUSHES, DAWDLES, ARRIVES)
    bare = tuple(replace(each, outcome=replace(each.outcome, metrics={}), scores={}) for each in asked.entrants)
    asked = replace(asked, entrants=bare, task=replace(task, metrics=()))
    assert find_judge("factors:length,effort").missing(asked.task) is None
    longest = find_judge("factors:length").compare(asked, NOBODY)
    assert longest.worst == 0  # leaves the line, which ends the episode; the others are tied
    assert "tie" in {made.answer for made in longest.preferences}
    assert best("-length", asked) == 0
    assert best("effort", asked) == 1 and best("length,-effort", asked) == 2
    smooth = find_judge("factors:smoothness").compare(asked, NOBODY)
    assert smooth.worst == 2 and smooth == find_judge("factors:smoothness").compare(asked, NOBODY)


def test_numbered_actions_have_effort_where_they_do_not_idle(tmp_path: Path) -> None:
    busy = driver(-20.0, -10.0, 20.0, discrete=True)
    idles = np.array([0.0, 1.0, 0.0], np.float32)
    rests = replace(driver(0.0, 0.0, 0.0, discrete=True), biases=(idles,))
    asked = driven(tmp_path, busy, rests, of=numbered)
    assert best("effort", asked) == best("smoothness", asked) == 1 and best("closeness", asked) == 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("", "wants to be told which"),
        ("success,,effort", "'' is no factor"),
        ("success:much", "The margin of 'success' must be a number"),
        ("success:-1", "at least 0"),
        ("success:inf", "at least 0"),
        ("success:%", "is no factor"),
        ("success,-success", "named twice"),
        ("two words", "is no factor"),
    ],
)
def test_hierarchies_that_cannot_be(setting: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find_judge(f"factors:{setting}")


def test_a_factor_that_the_task_has_not_is_told_with_the_closest(tmp_path: Path) -> None:
    lacking = find_judge("factors:success,closenes").missing(task)
    assert lacking and "Did you mean 'closeness'" in lacking and "smoothness" in lacking
    judge = find_judge("factors:success:10%>-effort:0.5>length")
    assert judge.missing(task) is None
    assert judge.name == "factors:success:10%,-effort:0.5,length" and find_judge(judge.name) == judge

"""Every world that this machine can run conforms; every check catches the defect that it is there for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import broken_batches as b
import broken_worlds as w
import pytest
from defects import DEFECTS, Defect, told
from pointmass import EXPERT, PointMass, pointmass_task

from reward_agent.conformance import CHECKS, Subject, conform, sample
from reward_agent.conformance.suite import run
from reward_agent.envs.registry import worlds
from reward_agent.errors import MissingComponentError
from reward_agent.schema import ActionSpec
from reward_agent.task import Task

QUICK, SLOW = 6, 2
"""Tasks of a world that are checked here, each of another environment; slow is one that finds few environments worth
making at once. `reward-agent doctor --world` takes any."""
FEW = 8
TOLD_ALONE = {"speed"}
"""Checks that never fail."""


def of_every_world() -> Iterator[tuple[Task, set[str]]]:
    """Tasks found through the registry that can run here, a few of each world, and the checks to make of each.

    Workers take long to start, and are the same for all tasks of a world: only its first is led through `threads`.
    """
    for world in worlds().values():
        ready = [task for task in world.tasks().values() if task.world.missing() is None]
        few = any(task.world.parallel_envs <= FEW for task in ready)
        for number, task in enumerate(sample(ready, SLOW if few else QUICK)):
            yield task, set(CHECKS) - TOLD_ALONE - ({"threads"} if number else set())


@pytest.mark.parametrize(("task", "checks"), [pytest.param(*each, id=each[0].id) for each in of_every_world()])
def test_every_world_conforms(task: Task, checks: set[str]) -> None:
    report = conform(task, checks=[name for name in CHECKS if name in checks])
    assert report.ok, "\n\n".join(f"{f.check}: {f.text}" for f in report.findings if f.level == "failed")
    assert {finding.check for finding in report.findings} == checks, "a check has said nothing"


def test_a_sound_world_passes_every_check_closely() -> None:
    report = conform(w.sound())
    assert report.ok
    levels = {finding.check: finding.level for finding in report.findings}
    assert levels == dict.fromkeys(CHECKS, "passed")
    said = {finding.check: finding.what for finding in report.findings}
    assert "4 of 5 fields are the simulator's own at each of 373 moments" in said["truth"]
    assert "does not tell of `secret.reached`" in said["truth"]
    assert "affine function of the secret `is_fast`, the secret `native_reward`" in said["secrets"]
    assert "steps a second with 64 environments" in said["speed"]


def test_without_a_witness_the_result_says_that_it_is_weaker() -> None:
    report = conform(pointmass_task())
    assert report.ok
    weaker = {finding.check: finding.what for finding in report.findings if finding.level == "weaker"}
    assert set(weaker) == {"truth", "secrets"}
    assert "no `witness()`" in weaker["truth"]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_told_by_the_check_it_is_for(defect: Defect) -> None:
    report = conform(defect.task, checks=[name for name in CHECKS if name not in TOLD_ALONE])
    said = [finding for finding in report.findings if finding.check == defect.check]
    found = [finding for finding in said if finding.level == defect.level]
    assert found, f"{defect.check} said: {[finding.text for finding in said]}"
    assert re.search(defect.says, found[0].text), found[0].text
    assert found[0].change or defect.level == "warning"
    assert report.ok == (defect.level == "warning")
    others = [finding for finding in report.findings if finding.level == "failed" and finding.check != defect.check]
    assert {finding.check for finding in others} <= set(defect.also), [finding.text for finding in others]


def test_every_check_has_a_defect_that_it_catches() -> None:
    assert {defect.check for defect in DEFECTS if defect.level == "failed"} | {"expert"} == set(CHECKS) - TOLD_ALONE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (EXPERT.replace("next_state.goal.position", "next_state.secret.reached"), "line 7: .*secret"),
        (EXPERT.replace("Be near the goal", "Success pays most"), "'success'"),
        ("def reward(): pass\n", "compute_reward"),
    ],
)
def test_an_expert_that_must_not_be_shown(text: str, says: str, tmp_path: Path) -> None:
    expert = tmp_path / "expert.py"
    expert.write_text(EXPERT)
    (good,) = run("expert", Subject(w.sound(expert=expert)))
    assert good.level == "passed" and "reads 2 of" in good.what
    expert.write_text(text)
    (bad,) = run("expert", Subject(w.sound(expert=expert)))
    assert bad.level == "failed"
    assert re.search(says, bad.text), bad.text


def test_a_world_that_fails_is_a_finding_with_its_place() -> None:
    (finding,) = run("truth", Subject(told(b.Fails)))
    assert finding.level == "failed"
    assert "ValueError: the simulator is gone" in finding.text
    assert "broken_batches.py, line" in finding.text


def test_a_numbered_action_is_checked_as_one() -> None:
    (good,) = run("actions", Subject(w.sound(w.Untold(batch=b.Numbered, fields=b.NUMBERED))))
    assert good.level == "passed"
    assert "3 numbers (left, wait, right), 3 of which lead apart at" in good.what
    for fields in (replace(b.NUMBERED, action=ActionSpec(("left", "right"), discrete=True)), w.SCHEMA):
        (bad,) = run("actions", Subject(w.sound(w.Untold(batch=b.Numbered, fields=fields))))
        assert bad.level == "failed", bad


def test_a_sample_has_each_environment_once_and_no_more_than_asked() -> None:
    made = [replace(pointmass_task(), id=f"pointmass/{i}", world=PointMass(dt=i // 2)) for i in range(20)]
    assert [task.id for task in sample(made)] == [f"pointmass/{i}" for i in range(0, 20, 2)]
    assert [task.id for task in sample(made, 3)] == ["pointmass/0", "pointmass/8", "pointmass/18"]


def test_what_is_missing_is_no_finding() -> None:
    class Missing(PointMass):
        def missing(self) -> str | None:
            return "no simulator: pip install one"

    with pytest.raises(MissingComponentError, match="pointmass/reach cannot be checked here: no simulator: pip"):
        conform(replace(pointmass_task(), world=Missing()))

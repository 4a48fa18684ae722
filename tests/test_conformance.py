"""Every world that this machine can run conforms; every check catches the defect that it is there for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import broken_worlds as w
import numpy as np
import pytest
from pointmass import EXPERT, PointMass, pointmass_task

from reward_agent.conformance import CHECKS, Subject, conform, sample
from reward_agent.conformance.suite import run
from reward_agent.envs.registry import worlds
from reward_agent.errors import MissingComponentError
from reward_agent.schema import ActionSpec, Constant, Entity, Field
from reward_agent.task import Task, Termination

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
    told = {finding.check: finding.what for finding in report.findings}
    assert "4 of 5 fields are the simulator's own at each of 373 moments" in told["truth"]
    assert "does not tell of `secret.reached`" in told["truth"]
    assert "the secret `is_fast` and the secret `native_reward`" not in told["secrets"]
    assert "steps a second with 64 environments" in told["speed"]


def test_without_a_witness_the_result_says_that_it_is_weaker() -> None:
    report = conform(pointmass_task())
    assert report.ok
    weaker = {finding.check: finding.what for finding in report.findings if finding.level == "weaker"}
    assert set(weaker) == {"truth", "secrets"}
    assert "no `witness()`" in weaker["truth"]


class Defect(NamedTuple):
    """One thing that is wrong, who must say so and what."""

    name: str
    task: Task
    check: str
    says: str
    level: str = "failed"
    also: tuple[str, ...] = ()
    """Checks that the same thing rightly fails too."""


def told(batch: type, **changes: object) -> Task:
    return w.sound(w.Told(batch=batch), **changes)


def untold(batch: type, fields: w.StateSchema = w.SCHEMA) -> Task:
    return w.sound(w.Untold(batch=batch, fields=fields))


def visible(path: str, doc: str, kind: str = "float", batch: type = w.PointMassBatch) -> Task:
    """With one field more, of the point."""
    return w.sound(w.Told(batch=batch, fields=w.with_fields(Field(path, doc, kind=kind))))  # type: ignore[arg-type]


REACHED = w.packing(point__near=lambda x, v, goal: np.abs(x - goal) < 1.0, point__hint=lambda x, v, goal: 0 * x)
FLAGGED = replace(
    w.SCHEMA,
    fields=(
        *w.SCHEMA.fields,
        Field("point.near", "the left half of its way is behind it", kind="bool"),
        Field("secret.near", "near", kind="bool", hidden=True),
    ),
)
BOTH = w.packing(point__near=lambda x, v, goal: v > 0.2, secret__near=lambda x, v, goal: v > 0.2)
FAST = w.packing(point__quick=lambda x, v, goal: 3.0 - 2.0 * (np.abs(v) > 0.3))

DEFECTS = [
    Defect("stale position", told(w.Stale), "truth", r"`point\.position` differs from the simulator after step 1 "),
    Defect("another start", told(w.OtherStart), "truth", r"`point\.position` differs from the simulator at reset "),
    Defect(
        "a witness that misspells",
        w.sound(w.Told(witness_of=w.Misnaming)),
        "truth",
        r"`point\.positon`, which is no field.*Did you mean `point\.position`\?",
    ),
    Defect(
        "not finite",
        visible("point.odd", "odd", batch=w.packing(point__odd=lambda x, v, goal: np.where(v > 0.5, np.nan, 0.0))),
        "values",
        r"`point\.odd`, of kind float, is nan after step \d+ \(row \d\)",
    ),
    Defect(
        "half true",
        visible("point.odd", "odd", "bool", batch=w.packing(point__odd=lambda x, v, goal: np.full(x.shape, 0.5))),
        "values",
        r"`point\.odd`, of kind bool, is 0\.5 at reset",
    ),
    Defect(
        "not whole",
        visible("point.odd", "odd", "int", batch=w.packing(point__odd=lambda x, v, goal: x)),
        "values",
        r"`point\.odd`, of kind int, is",
    ),
    Defect(
        "a long quaternion",
        untold(type("Long", (w.Turning,), {"order": (0, 0, 2, 3)}), w.TURNING),
        "values",
        r"`point\.orientation`, of kind float, has norm 1\.\d+ at reset",
        also=("motion",),
    ),
    Defect(
        "velocity of the other sign",
        w.sound(w.Told(batch=w.Backwards, witness_of=w.BackwardsWitness)),
        "motion",
        r"`point\.velocity` is not the rate of `point\.position` in \d+% of 360 steps; .* -1 times what it says",
    ),
    Defect(
        "quaternions with w last",
        untold(w.LastComesFirst, w.TURNING),
        "motion",
        r"`point\.angular_velocity` is not the rate of `point\.orientation`",
    ),
    Defect(
        "needs another field",
        told(w.NeedsPosition),
        "selection",
        r"`point\.velocity` is .*, packing all and packing these",
    ),
    Defect("slow unseen", told(w.SlowUnseen), "selection", r"after step 1 `point\.position`"),
    Defect("packs all", told(w.PacksAll), "selection", r"the batch's `schema` has other fields"),
    Defect(
        "draws globally",
        untold(w.GlobalDraws),
        "seeds",
        r"Played again in a fresh batch.*at the reset of its episode 1",
    ),
    Defect("by row", untold(w.ByRow), "seeds", r"Played alone"),
    Defect("by width", untold(w.ByWidth), "seeds", r"Played alone"),
    Defect("remembers", untold(w.Remembers), "seeds", r"Played after other episodes in the same row"),
    Defect("deaf", untold(w.Deaf), "seeds", r"4 different seeds give the same states"),
    Defect("disturbs", untold(w.Disturbs), "seeds", r"another row was reset, and what row \d"),
    Defect("on threads", w.sound(w.OnThreads()), "threads", r"Played on two threads"),
    Defect("no threads", w.sound(w.NoThreads()), "threads", r"One thread is all there is", level="warning"),
    Defect("meant to be one", w.sound(w.Deterministic(batch=w.Deaf)), "seeds", r"as the world says", level="warning"),
    Defect(
        "forgets",
        told(w.Forgets),
        "saving",
        r"restored into another batch .* after step 1 `point\.position` is",
    ),
    Defect("saves a view", told(w.SavesAView), "saving", r"goes another way"),
    Defect("saves objects", told(w.SavesObjects), "saving", r"objects for `generator`"),
    Defect("live observations", told(w.LiveViews), "fresh", r"`observations` of step 1"),
    Defect("live states", told(w.LiveStates), "fresh", r"`states` of the reset"),
    Defect("writes", told(w.Writes), "fresh", r"Step 1 wrote into the array of actions"),
    Defect("starts anew", untold(w.StartsAnew), "endings", r"step \d+ and last: it leads to"),
    Defect(
        "starts anew midway",
        w.sound(w.Untold(batch=w.StartsAnew), terminates="never"),
        "endings",
        r"step \d+: it leads",
    ),
    Defect("own limit", told(w.OwnLimit), "endings", r"truncated after 45 steps; the task's horizon is 60"),
    Defect("a metric that is nan", w.sound(metrics=w.metric(lambda e: float("nan"))), "metrics", "gives nan"),
    Defect("a metric that writes", w.sound(metrics=w.metric(w.moody)), "metrics", "when it is asked again"),
    Defect("half a success", w.sound(metrics=w.metric(lambda e: 0.5, "success")), "metrics", "of kind success"),
    Defect("no number", w.sound(metrics=w.metric(lambda e: None)), "metrics", "gives None, of type NoneType"),
    Defect(
        "reads what it does not name",
        w.sound(metrics=w.metric(lambda e: float(e.state.goal.position[0]))),
        "metrics",
        "fails: AttributeError: .*goal",
    ),
    Defect(
        "reads what is not there",
        w.sound(metrics=w.metric(lambda e: 0.0, fields=("point.positon",))),
        "metrics",
        r"reads `point\.positon`.*Did you mean 'point\.position'",
    ),
    Defect(
        "tells nothing apart", w.sound(metrics=w.metric(lambda e: 0.0)), "metrics", "No metric tells", level="warning"
    ),
    Defect(
        "success in a name",
        visible("point.is_success", "odd", batch=w.packing(point__is_success=lambda x, v, g: x)),
        "leaks",
        "'is success'",
    ),
    Defect(
        "reward in a line",
        w.sound(w.Told(fields=w.documented("point.velocity", "part of the reward"))),
        "leaks",
        "'reward'",
    ),
    Defect(
        "a goal flag",
        w.sound(w.Told(fields=w.documented("point.moving", "the goal has been reached"))),
        "leaks",
        "flag `point.moving`",
    ),
    Defect(
        "a goal flag by distance",
        w.sound(w.Told(fields=w.documented("point.moving", "within 0.1 m of the goal"))),
        "leaks",
        "flag `point.moving`",
    ),
    Defect(
        "a flag so called",
        visible("point.placed", "odd", "bool", batch=w.packing(point__placed=lambda x, v, g: x > 9)),
        "leaks",
        "'placed'",
    ),
    Defect(
        "a score among constants",
        w.sound(w.Told(fields=w.with_fields(constants=(Constant("max_score", 1.0, "odd"),)))),
        "leaks",
        "'score'",
    ),
    Defect("in the control", w.sound(control="a point that gets a reward"), "leaks", "control"),
    Defect(
        "in the termination",
        w.sound(terminates=Termination("the native reward is high", ("point.velocity",), w.fast_enough)),
        "leaks",
        "'native reward'",
    ),
    Defect(
        "a metric's line in a prompt",
        w.sound(
            control="a point, judged as minus the mean distance to the mark",
            metrics=(replace(pointmass_task().metrics[1], doc="minus the mean distance to the mark"),),
        ),
        "leaks",
        "first prompt of the method eureka says 'minus the mean distance to the mark'",
    ),
    Defect(
        "a copied secret",
        visible("point.quick", "odd", batch=FAST),
        "secrets",
        r"`point\.quick` gives away the secret `is_fast`",
    ),
    Defect(
        "a copied flag",
        w.sound(w.Told(batch=BOTH, fields=FLAGGED)),
        "secrets",
        r"`point\.near` gives away the hidden flag `secret\.near`",
    ),
    Defect("numb", untold(w.Numb), "actions", "No column of the action changes anything within 5 steps"),
    Defect(
        "half numb",
        untold(w.HalfNumb, replace(w.SCHEMA, action=ActionSpec(("push", "pull"), (-1.0, -1.0), (1.0, 1.0)))),
        "actions",
        "1 column of the action changed nothing within 5 steps: `pull`",
        level="warning",
    ),
    Defect("no bounds", told(w.Unbounded), "actions", r"`low` of `push` is -1 in the schema, -inf in the action space"),
    Defect("other bounds", told(w.Wide), "actions", r"`low` of `push` is -1 in the schema, -2 in the action space"),
    Defect(
        "two names",
        w.sound(w.Told(fields=replace(w.SCHEMA, action=ActionSpec(("push", "pull"), (-1.0, -1.0), (1.0, 1.0))))),
        "actions",
        r"2 names and the action space has the shape \(1,\)",
        also=("endings", "metrics"),
    ),
    Defect(
        "no line",
        w.sound(w.Told(fields=w.documented("point.velocity", " "))),
        "prompts",
        r"`point\.velocity` has no line",
    ),
    Defect(
        "no entity",
        visible("lost.odd", "odd", batch=w.packing(lost__odd=lambda x, v, goal: x)),
        "prompts",
        r"`lost\.odd` belongs to no entity",
    ),
    Defect(
        "one kind, other fields",
        w.sound(
            w.Told(
                fields=replace(
                    w.SCHEMA,
                    entities=(
                        *w.SCHEMA.entities[:1],
                        Entity("goal", "Point", "the place to reach"),
                        *w.SCHEMA.entities[2:],
                    ),
                )
            )
        ),
        "prompts",
        r"`point` and `goal` are both of the kind Point",
    ),
    Defect(
        "another dt",
        w.sound(w.Told(fields=w.with_fields(constants=(Constant("dt", 0.1, "one step", "s"),)))),
        "prompts",
        r"`dt` is 0\.1 and a step of the world lasts 0\.05",
    ),
]


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
    (finding,) = run("truth", Subject(told(w.Fails)))
    assert finding.level == "failed"
    assert "ValueError: the simulator is gone" in finding.text
    assert "broken_worlds.py, line" in finding.text


def test_a_numbered_action_is_checked_as_one() -> None:
    (good,) = run("actions", Subject(w.sound(w.Untold(batch=w.Numbered, fields=w.NUMBERED))))
    assert good.level == "passed"
    assert "3 numbers (left, wait, right), 3 of which lead apart at" in good.what
    for fields in (replace(w.NUMBERED, action=ActionSpec(("left", "right"), discrete=True)), w.SCHEMA):
        (bad,) = run("actions", Subject(w.sound(w.Untold(batch=w.Numbered, fields=fields))))
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

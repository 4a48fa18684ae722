"""What is wrong with a world, one thing at a time, and what the check that is there for it must say."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import broken_batches as b
import broken_worlds as w
import numpy as np
from pointmass import pointmass_task

from reward_agent.schema import ActionSpec, Constant, Entity, Field
from reward_agent.task import Task, Termination


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
        told(b.Forgets),
        "saving",
        r"restored into another batch .* after step 1 `point\.position` is",
    ),
    Defect("saves a view", told(b.SavesAView), "saving", r"goes another way"),
    Defect("saves objects", told(b.SavesObjects), "saving", r"objects for `generator`"),
    Defect("live observations", told(b.LiveViews), "fresh", r"`observations` of step 1"),
    Defect("live states", told(b.LiveStates), "fresh", r"`states` of the reset"),
    Defect("writes", told(b.Writes), "fresh", r"Step 1 wrote into the array of actions"),
    Defect("starts anew", untold(b.StartsAnew), "endings", r"step \d+ and last: it leads to"),
    Defect(
        "starts anew midway",
        w.sound(w.Untold(batch=b.StartsAnew), terminates="never"),
        "endings",
        r"step \d+: it leads",
    ),
    Defect("own limit", told(b.OwnLimit), "endings", r"truncated after 45 steps; the task's horizon is 60"),
    Defect("a metric that is nan", w.sound(metrics=b.metric(lambda e: float("nan"))), "metrics", "gives nan"),
    Defect("a metric that writes", w.sound(metrics=b.metric(b.moody)), "metrics", "when it is asked again"),
    Defect("half a success", w.sound(metrics=b.metric(lambda e: 0.5, "success")), "metrics", "of kind success"),
    Defect("no number", w.sound(metrics=b.metric(lambda e: None)), "metrics", "gives None, of type NoneType"),
    Defect(
        "reads what it does not name",
        w.sound(metrics=b.metric(lambda e: float(e.state.goal.position[0]))),
        "metrics",
        r"fails: .*line [0-9]+: AttributeError: .*goal",
    ),
    Defect(
        "reads what is not there",
        w.sound(metrics=b.metric(lambda e: 0.0, fields=("point.positon",))),
        "metrics",
        r"reads `point\.positon`.*Did you mean 'point\.position'",
    ),
    Defect(
        "tells nothing apart", w.sound(metrics=b.metric(lambda e: 0.0)), "metrics", "No metric tells", level="warning"
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
        w.sound(terminates=Termination("the native reward is high", ("point.velocity",), b.fast_enough)),
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
    Defect(
        "a late secret",
        visible("point.load", "odd", batch=w.Late),
        "secrets",
        r"`is_fast`: .* same signal one step late",
    ),
    Defect(
        "the native reward by another name",
        visible("point.load", "odd", batch=w.Rewarding),
        "secrets",
        r"`point\.load` gives away the secret `native_reward`: .*correlation 1\.0000000",
    ),
    Defect(
        "nearly the native reward",
        visible("point.load", "odd", batch=w.NearlyRewarding),
        "secrets",
        r"`point\.load` is nearly the secret `native_reward`",
        level="warning",
    ),
    Defect("numb", untold(b.Numb), "actions", "No column of the action changes anything within 5 steps"),
    Defect(
        "half numb",
        untold(b.HalfNumb, replace(w.SCHEMA, action=ActionSpec(("push", "pull"), (-1.0, -1.0), (1.0, 1.0)))),
        "actions",
        "1 column of the action changed nothing within 5 steps: `pull`",
        level="warning",
    ),
    Defect("no bounds", told(b.Unbounded), "actions", r"`low` of `push` is -1 in the schema, -inf in the action space"),
    Defect("other bounds", told(b.Wide), "actions", r"`low` of `push` is -1 in the schema, -2 in the action space"),
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

"""Is an action what the schema says: as many numbers, within these bounds, clipped to them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from reward_agent.conformance.finding import Finding, counted, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import differing, same
from reward_agent.schema import ActionSpec, Array
from reward_agent.task import Batch

NAME = "actions"


def actions(subject: Subject) -> Iterator[Finding]:
    """Names and bounds agree with the action space; what is out of bounds counts as the bound."""
    spec, names = subject.schema.action, listed(list(subject.schema.action.names))
    with subject.batch() as batch:
        space: Any = batch.action_space
        disagreement = _discrete(spec, space) if isinstance(space, Discrete) else _box(spec, space)
        if disagreement:
            yield failed(
                NAME,
                disagreement,
                contract="The schema's action names one column each (of a discrete one, a number each), with the "
                "bounds of `action_space`.",
                change="Derive both from the simulator's own action space.",
            )
            return
        if spec.discrete:
            outcomes = {_after(subject, batch, np.array([float(n)])).tobytes() for n in range(len(spec.names))}
            apart = f"{len(outcomes)} of which lead apart near the start of an episode"
            yield passed(NAME, f"{counted(len(spec.names), 'number')} ({names}), {apart}.")
            return
        beyond = _beyond(subject, batch, np.asarray(space.low, float), np.asarray(space.high, float))
    if beyond:
        yield failed(
            NAME,
            beyond,
            contract="`step` clips actions to the action space, and rewards see the clipped action.",
            change="Clip before anything else is made of the action.",
        )
        return
    yield passed(
        NAME, f"{counted(len(spec.names), 'column')} ({names}), bounded as the action space and clipped to it."
    )


def _box(spec: ActionSpec, space: Any) -> str:
    """What a schema's action and a space of floats disagree on."""
    columns = len(spec.names)
    if spec.discrete:
        return f"The schema's action is discrete and the batch's action space is {space}."
    if space.shape != (columns,):
        return f"The schema's action has {counted(columns, 'name')} and the action space has the shape {space.shape}."
    for what, ours, theirs in (("low", spec.low, space.low), ("high", spec.high, space.high)):
        if len(ours) != columns:
            return f"The schema's action has {columns} names and {counted(len(ours), 'bound')} `{what}`."
        wrong = np.flatnonzero(~np.isclose(np.array(ours), theirs, rtol=1e-6, atol=1e-9))
        if len(wrong):
            at = int(wrong[0])
            return f"`{what}` of `{spec.names[at]}` is {ours[at]:g} in the schema, {theirs[at]:g} in the action space."
    return _names(spec)


def _discrete(spec: ActionSpec, space: Discrete) -> str:
    if not spec.discrete:
        return f"The schema's action is not discrete and the batch's action space is {space}."
    if len(spec.names) != space.n:
        return f"The schema names {counted(len(spec.names), 'action')} and the action space has {space.n}."
    return _names(spec)


def _names(spec: ActionSpec) -> str:
    if len(set(spec.names)) < len(spec.names) or not all(name.strip() for name in spec.names):
        return f"The names of the schema's action are not {len(spec.names)} different ones: {', '.join(spec.names)}."
    return ""


def _beyond(subject: Subject, batch: Batch, low: Array, high: Array) -> str:
    """Where an action beyond the bounds leads elsewhere than the bound."""
    for side, bound, further in (("above", high, high - low), ("below", low, low - high)):
        bounded = np.isfinite(bound) & np.isfinite(further)
        far = _after(subject, batch, np.where(bounded, bound + further, 0.0))
        near = _after(subject, batch, np.where(bounded, bound, 0.0))
        for row, (one, two) in enumerate(zip(far, near, strict=True)):
            if not same(one, two):
                where = differing(subject.schema, one, two)
                return (
                    f"Actions {side} the bounds do not count as the bound: {where} (row {row}), for one and the other."
                )
    return ""


def _after(subject: Subject, batch: Batch, action: Array) -> Array:
    """States of fresh episodes after one action of the scripts and then this one, in every row."""
    batch.reset(np.ones(subject.rows, bool), subject.first_seeds)
    batch.step(subject.actions_at(0))
    return batch.step(np.tile(action, (subject.rows, 1))).states

"""Is an action what the schema says: as many numbers, between these bounds, each of which does something?

Clipping to the bounds is not a world's affair: `Episodes` does it for all of them, before a batch is given an action.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete

from reward_agent.conformance.finding import Finding, counted, failed, listed, passed, warning
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import bounds, same
from reward_agent.envs.episodes import Episodes
from reward_agent.schema import ActionSpec, Array
from reward_agent.task import Batch

NAME = "actions"
HELD = 5
"""Steps within which an action must do something."""


def actions(subject: Subject) -> Iterator[Finding]:
    """Names and bounds agree with the action space, and the two bounds of a column lead apart."""
    spec, names = subject.schema.action, listed(list(subject.schema.action.names))
    with subject.batch(1) as batch:
        space: Any = batch.action_space
        disagreement = _discrete(spec, space) if isinstance(space, Discrete) else _box(spec, space)
        outcomes = _numbers(subject, batch) if spec.discrete and not disagreement else set()
    if disagreement:
        yield failed(
            NAME,
            disagreement,
            contract="The schema's action names one column each (of a discrete one, a number each), with the bounds "
            "of `action_space`.",
            change="Derive both from the simulator's own action space.",
        )
        return
    if spec.discrete:
        apart = f"{len(outcomes)} of which lead apart at the start of an episode"
        yield passed(NAME, f"{counted(len(spec.names), 'number')} ({names}), {apart}.")
        return
    episodes = Episodes(subject.task, 2, subject.full.by_path)
    try:
        dead = [f"`{name}`" for column, name in enumerate(spec.names) if not _acts(subject, episodes, column)]
    finally:
        episodes.close()
    if len(dead) == len(spec.names):
        yield failed(
            NAME,
            f"No column of the action changes anything within {HELD} steps, lowest or highest: {listed(dead)}.",
            contract="What follows from a state follows from the action.",
            change="See that actions reach the simulator, and at which step.",
        )
    elif dead:
        yield warning(
            NAME,
            f"{counted(len(dead), 'column')} of the action changed nothing within {HELD} steps: {listed(dead)}.",
            change="See that these columns reach the simulator and that the state tells of what they move.",
        )
    else:
        yield passed(
            NAME, f"{counted(len(spec.names), 'column')} ({names}), bounded as the space; each does something."
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


def _numbers(subject: Subject, batch: Batch) -> set[bytes]:
    """The different states that the numbers of a discrete action lead to from one start."""
    found = set()
    for number in range(len(subject.schema.action.names)):
        batch.reset(np.ones(1, bool), subject.first_seeds[:1])
        found.add(batch.step(np.full((1, 1), float(number))).states.tobytes())
    return found


def _acts(subject: Subject, episodes: Episodes, column: int) -> bool:
    """Whether the two bounds of a column lead apart, the other columns at rest."""
    low, high = bounds(subject.schema.action)
    pair = np.tile(np.clip(0.0, low, high), (2, 1))
    pair[:, column] = low[column], high[column]
    world = subject.full.indices(path for path in subject.full.by_path if not path.startswith("episode."))
    one, two = _pair(subject, episodes, pair, HELD)
    return not same(one[world], two[world])


def _pair(subject: Subject, episodes: Episodes, actions: Array, steps: int) -> Array:
    """States `(2, D)` of two episodes from one seed, each after its action was held for some steps."""
    episodes.reset(np.ones(2, bool), np.full(2, subject.first_seeds[0]))
    for _ in range(steps):
        states = episodes.step(actions).states
    return states

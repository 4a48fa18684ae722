"""Rows of a batch that follow a script of seeds and actions, and where two such recordings part.

A row's trace may depend on its script alone. So the same script is played in other rows, other batches and other
company, and the traces must be equal, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_agent.schema import ActionSpec, Array, StateSchema
from reward_agent.task import Batch, Bools, Ints

BLOCK = 10
"""Steps that a script keeps to one way of acting."""


@dataclass(frozen=True)
class Script:
    """What a row is made to do."""

    actions: Array
    """`(T, A)`."""
    seeds: Ints
    """`(T + 1,)`; of its episodes in turn."""
    every: int
    """Steps after which it is reset, if its episode has not ended before."""


@dataclass(frozen=True)
class Trace:
    """What one row showed at each of its M moments: after every reset and after every step."""

    script: Script
    steps: Ints
    """`(M,)`: steps taken before this moment."""
    began: Bools
    """`(M,)`: a reset led here, not a step."""
    observations: Array
    """`(M, O)`."""
    states: Array
    """`(M, D)`."""
    ends: Bools
    """`(M, 2)`: terminated, truncated."""
    disturbed: Ints
    """Steps after which the reset of another row changed what this one shows."""

    @property
    def stepped(self) -> Ints:
        """The moments that a step led to; the one before each is where it came from."""
        return np.flatnonzero(~self.began)

    @property
    def applied(self) -> Array:
        """The action of each of these moments, `(T, A)`."""
        return self.script.actions[self.steps[self.stepped] - 1]


def write_script(action: ActionSpec, seed: int, steps: int, every: int) -> Script:
    """Actions that change every step, that hold, and none, in turn: each stretch shows other faults."""
    generator = np.random.default_rng(seed)
    seeds = generator.integers(2**31, size=steps + 1)
    if action.discrete:
        actions = generator.integers(len(action.names), size=(steps, 1)).astype(float)
        idle = actions[:1]
    else:
        low, high = bounds(action)
        actions = generator.uniform(low, high, (steps, len(low)))
        idle = np.clip(0.0, low, high)[None]
    for number, begin in enumerate(range(0, steps, BLOCK)):
        if number % 2:
            actions[begin : begin + BLOCK] = idle if number % 4 == 3 else actions[begin]
    return Script(actions, seeds, every)


def bounds(action: ActionSpec) -> tuple[Array, Array]:
    """Lowest and highest action, `(A,)` each; 1 where there is no bound."""
    low, high = np.array(action.low, float), np.array(action.high, float)
    return np.where(np.isfinite(low), low, -1.0), np.where(np.isfinite(high), high, 1.0)


def follow(batch: Batch, scripts: Sequence[Script], *, begun: bool = False) -> list[Trace]:
    """Play one script a row, all of the same length.

    Args:
        batch: of as many rows as there are scripts.
        scripts: one a row.
        begun: go on with the episodes that the batch is in, instead of beginning with a reset.
    """
    recorders = [_Recorder(script) for script in scripts]
    rows = len(scripts)
    whole, none = np.ones(rows, bool), np.zeros((rows, 2), bool)
    if not begun:
        observations, states = batch.reset(whole, np.array([r.seed() for r in recorders]))
        for row, recorder in enumerate(recorders):
            recorder.add(observations[row], states[row], none[row], began=True)
    for number in range(len(scripts[0].actions)):
        step = batch.step(np.stack([script.actions[number] for script in scripts]))
        ends = np.stack([step.terminated, step.truncated], axis=1)
        for row, recorder in enumerate(recorders):
            recorder.add(step.observations[row], step.states[row], ends[row], began=False)
        over = np.array([recorder.over() for recorder in recorders])
        if not over.any():
            continue
        observations, states = batch.reset(
            over, np.array([r.seed() if o else 0 for r, o in zip(recorders, over, strict=True)])
        )
        for row, recorder in enumerate(recorders):
            if over[row]:
                recorder.add(observations[row], states[row], none[row], began=True)
            elif not (same(observations[row], step.observations[row]) and same(states[row], step.states[row])):
                recorder.disturbed.append(number + 1)
    return [recorder.trace() for recorder in recorders]


def same(a: Any, b: Any) -> bool:
    """Bit for bit, but for the sign of zero and the kind of nan."""
    return bool(np.array_equal(a, b, equal_nan=True))


def parting(ours: Trace, other: Trace, schema: StateSchema) -> str:
    """Where two traces of one script first differ, in words; empty where they do not.

    Args:
        schema: of `ours.states`; `other` may pack a selection of it.
    """
    for at in range(min(len(ours.steps), len(other.steps))):
        episode = int(ours.began[: at + 1].sum())
        when = f"at the reset of its episode {episode}" if ours.began[at] else f"after step {ours.steps[at]}"
        if ours.began[at] != other.began[at] or not same(ours.ends[at], other.ends[at]):
            said = [_ending(trace, at) for trace in (ours, other)]
            return f"{when} the episode {said[0]} in the first and {said[1]} in the other"
        if not same(ours.states[at], other.states[at]):
            return f"{when} {differing(schema, ours.states[at], other.states[at])}"
        if not same(ours.observations[at], other.observations[at]):
            column = int(np.flatnonzero(ours.observations[at] != other.observations[at])[0])
            values = f"{ours.observations[at, column]!r} and {other.observations[at, column]!r}"
            return f"{when} component {column} of the observation is {values}".replace("np.float64", "")
    return ""


def differing(schema: StateSchema, a: Array, b: Array) -> str:
    """The first field in which two states `(D,)` differ, with its values."""
    for path, columns in schema.columns.items():
        unequal = np.flatnonzero(~((a[columns] == b[columns]) | (np.isnan(a[columns]) & np.isnan(b[columns]))))
        if len(unequal):
            part = f"[{unequal[0]}]" if schema.by_path[path].width > 1 else ""
            values = [float(x[columns][unequal[0]]) for x in (a, b)]
            return f"`{path}`{part} is {values[0]!r} and {values[1]!r}"
    return "the states differ"


def _ending(trace: Trace, at: int) -> str:
    if trace.began[at]:
        return "began anew"
    terminated, truncated = trace.ends[at]
    return "was terminated" if terminated else "was truncated" if truncated else "went on"


class _Recorder:
    """A row as it goes."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.disturbed: list[int] = []
        self._moments: list[tuple[int, bool, Array, Array, Bools]] = []
        self._taken = self._since = self._episodes = 0

    def seed(self) -> int:
        return int(self.script.seeds[self._episodes])

    def add(self, observation: Array, state: Array, ends: Bools, *, began: bool) -> None:
        if began:
            self._episodes, self._since = self._episodes + 1, 0
        else:
            self._taken, self._since = self._taken + 1, self._since + 1
        self._moments.append((self._taken, began, observation.copy(), state.copy(), ends.copy()))

    def over(self) -> bool:
        return bool(self._moments[-1][4].any()) or self._since >= self.script.every

    def trace(self) -> Trace:
        steps, began, observations, states, ends = (np.array(part) for part in zip(*self._moments, strict=True))
        return Trace(self.script, steps, began, observations, states, ends, np.array(self.disturbed, np.int64))

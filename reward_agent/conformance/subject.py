"""A task under examination, and what was seen of it: each thing is recorded once, whichever checks ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reward_agent.conformance.testimony import Testimony, lead
from reward_agent.conformance.tracing import Script, Trace, bounds, follow, write_script
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.schema import Array, StateSchema
from reward_agent.task import Batch, Bools, Ints, Task, Witnessed

POLICIES = ("no action", "random actions", "held actions")
"""How whole episodes are played."""
HELD = 20
"""Steps that an action is held for in whole episodes of held actions."""


@dataclass(frozen=True)
class Whole:
    """One episode of the task from its reset to its end."""

    policy: str
    """Of `POLICIES`."""
    seed: int
    states: Array
    """`(L + 1, D)` by `Subject.full`."""
    actions: Array
    """`(L, A)`."""
    terminated: bool
    truncated: bool


@dataclass(frozen=True)
class Subject:
    """A task whose world is to be checked.

    Raises:
        MissingComponentError: from what a check asks for, where this machine cannot run the world.
    """

    task: Task
    seed: int = 0
    """Of all that is drawn: actions, and the seeds of episodes."""
    steps: int = 120
    """Steps that a row is led through; it is reset after somewhat less than a third of them, each at another time."""
    rows: int = 3

    @cached_property
    def schema(self) -> StateSchema:
        """Every field of the world, as the world names them."""
        return self.task.world.schema()

    @cached_property
    def full(self) -> StateSchema:
        """Every field of the task: edited by it, with the episode's own."""
        return task_schema(self.task)

    @cached_property
    def visible(self) -> frozenset[str]:
        """Paths of `schema`, in the world's own names, that rewards may read in this task."""
        edited = self.schema.edit(hide=self.task.hide, rename=self.task.rename)
        pairs = zip(self.schema.fields, edited.fields, strict=True)
        return frozenset(own.path for own, shown in pairs if not shown.hidden)

    @cached_property
    def scripts(self) -> tuple[Script, ...]:
        """One a row; what all rows do at once shows too little."""
        action = self.schema.action
        every = [max(self.steps // 3 - 3 - 4 * row, 2) for row in range(self.rows)]
        return tuple(write_script(action, self.seed + row, self.steps, every[row]) for row in range(self.rows))

    @property
    def first_seeds(self) -> Ints:
        """Of the scripts' first episodes, `(rows,)`."""
        return np.array([script.seeds[0] for script in self.scripts])

    def actions_at(self, step: int) -> Array:
        """The scripts' actions of one step, `(rows, A)`, fresh."""
        return np.stack([script.actions[step] for script in self.scripts])

    @contextmanager
    def batch(self, rows: int | None = None, fields: StateSchema | None = None, threads: int = 1) -> Iterator[Batch]:
        """A fresh batch of the world, closed in the end."""
        batch = self.task.world.make(rows or self.rows, fields or self.schema, threads=threads)
        try:
            yield batch
        finally:
            batch.close()

    @cached_property
    def traces(self) -> tuple[Trace, ...]:
        """The scripts, played side by side in a fresh batch that packs every field."""
        with self.batch() as batch:
            return tuple(follow(batch, self.scripts))

    @property
    def states(self) -> Array:
        """Of all traces, one after the other, `(M, D)`."""
        return np.concatenate([trace.states for trace in self.traces])

    @cached_property
    def testimony(self) -> tuple[Testimony, ...]:
        """The witness led through each trace, by the same seeds and actions; nothing where the world has none."""
        world = self.task.world
        if not isinstance(world, Witnessed):
            return ()
        traces = self.traces
        witness = world.witness()
        try:
            return tuple(lead(witness, trace) for trace in traces)
        finally:
            witness.close()

    @cached_property
    def episodes(self) -> tuple[Whole, ...]:
        """Whole episodes of the task from two seeds, each by no action, by random and by held ones."""
        episodes = Episodes(self.task, len(POLICIES), self.full.by_path)
        try:
            return tuple(whole for seed in (self.seed, self.seed + 1) for whole in self._play(episodes, seed))
        finally:
            episodes.close()

    def _play(self, episodes: Episodes, seed: int) -> Iterator[Whole]:
        """One episode a row, all from the same seed; ended rows wait, reset so that they can be stepped."""
        rows = len(POLICIES)
        generator = np.random.default_rng(seed)
        episodes.reset(np.ones(rows, bool), np.full(rows, seed))
        states: list[Array] = [episodes.states.copy()]
        actions: list[Array] = []
        ended: dict[int, tuple[int, bool, bool]] = {}
        held = self._random(generator)
        while len(ended) < rows:
            if len(actions) % HELD == 0:
                held = self._random(generator)
            chosen = np.stack([self._idle(generator), self._random(generator), held])
            step = episodes.step(chosen)
            actions.append(chosen)
            states.append(step.states.copy())
            over: Bools = step.terminated | step.truncated
            for row in np.flatnonzero(over).tolist():
                ended.setdefault(row, (len(actions), bool(step.terminated[row]), bool(step.truncated[row])))
            if over.any() and len(ended) < rows:
                episodes.reset(over, np.full(rows, seed))
        for row, (length, terminated, truncated) in sorted(ended.items()):
            seen, done = np.array([s[row] for s in states[: length + 1]]), np.array([a[row] for a in actions[:length]])
            yield Whole(POLICIES[row], seed, seen, done, terminated, truncated)

    def _idle(self, generator: np.random.Generator) -> Array:
        action = self.schema.action
        idle = float(getattr(action, "idle", 0))  # of a discrete one, the number that does nothing
        return np.full(1, idle) if action.discrete else np.clip(0.0, *bounds(action))

    def _random(self, generator: np.random.Generator) -> Array:
        action = self.schema.action
        if action.discrete:
            return generator.integers(len(action.names), size=1).astype(float)
        drawn: Array = generator.uniform(*bounds(action))
        return drawn

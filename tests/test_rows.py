"""Batches of environments that each step on their own: here and in workers, the same to the last bit."""

from __future__ import annotations

import gc
import os
import weakref
from functools import partial
from typing import ClassVar

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from reward_agent.envs.rows import RowBatch, RowStep
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.schema import ActionSpec, Array, Entity, Field, StateSchema

SCHEMA = StateSchema(
    fields=(Field("bob.position", "where it hangs", "m"), Field("bob.pushes", "how often it was pushed", kind="int")),
    entities=(Entity("bob", "Bob", "a weight on a spring"),),
    action=ActionSpec(names=("push",), low=(-1.0,), high=(1.0,)),
)


class Spring:
    """A weight on a spring that breaks at 2 m, or crashes its process at an action of exactly 0.5."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, fields: StateSchema) -> None:
        self.fields = fields
        self.x, self.v, self.pushes = 0.0, 0.0, 0

    def reset(self, seed: int) -> Array:
        self.x, self.v, self.pushes = np.random.default_rng(seed).normal(), 0.0, 0
        return np.array([self.x, self.v])

    def step(self, action: Array) -> RowStep:
        if action[0] == 0.5:
            os._exit(7)
        if action[0] == 0.25:
            raise ValueError("this spring does not like a quarter")
        self.v += 0.1 * (4.0 * action[0] - self.x)
        self.x += 0.1 * self.v
        self.pushes += 1
        return RowStep(np.array([self.x, self.v]), abs(self.x) > 2.0, self.pushes >= 50)

    def state(self) -> Array:
        values = {"bob.position": self.x, "bob.pushes": float(self.pushes)}
        return np.array([values[field.path] for field in self.fields.fields])

    def render(self) -> NDArray[np.uint8]:
        return np.full((2, 2, 3), self.pushes, np.uint8)

    def close(self) -> None:
        pass


def batch(workers: int = 1, num_envs: int = 5, fields: StateSchema = SCHEMA) -> RowBatch:
    return RowBatch(partial(Spring, fields), num_envs, fields, workers=workers)


def play(rows: RowBatch, steps: int, seed: int) -> list[NDArray[np.float64]]:
    """What `steps` steps leave, with every row begun again where it ended."""
    rng, seen = np.random.default_rng(seed), []
    for _ in range(steps):
        step = rows.step(rng.uniform(-1, 1, (rows.num_envs, 1)))
        seen += [step.observations, step.states, step.terminated, step.truncated]
        ended = step.terminated | step.truncated
        if ended.any():
            seen += rows.reset(ended, rng.integers(1000, size=rows.num_envs))
    return seen


@pytest.mark.parametrize("workers", [2, 3, 9])
def test_workers_change_no_bit(workers: int) -> None:
    here, there = batch(), batch(workers)
    try:
        everyone, seeds = np.ones(5, bool), np.arange(5)
        for mine, theirs in zip(here.reset(everyone, seeds), there.reset(everyone, seeds), strict=True):
            assert np.array_equal(mine, theirs)
        mine, theirs = play(here, 60, 1), play(there, 60, 1)
        assert len(mine) == len(theirs) > 240
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
        assert np.array_equal(here.render(4), there.render(4))
    finally:
        here.close()
        there.close()


def test_only_the_masked_rows_begin_again() -> None:
    rows = batch()
    rows.reset(np.ones(5, bool), np.arange(5))
    rows.step(np.zeros((5, 1)))
    _, states = rows.reset(np.array([False, True, False, False, True]), np.arange(5))
    assert states[:, 1].tolist() == [1, 0, 1, 1, 0]
    assert states[1, 0] == np.random.default_rng(1).normal()


def test_what_was_handed_out_does_not_change() -> None:
    rows = batch()
    observations, states = rows.reset(np.ones(5, bool), np.arange(5))
    kept = observations.copy(), states.copy()
    rows.step(np.ones((5, 1)))
    assert np.array_equal(observations, kept[0]) and np.array_equal(states, kept[1])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_restored_batch_goes_on_bit_for_bit(workers: int) -> None:
    first, second = batch(workers), batch(workers)
    try:
        first.reset(np.ones(5, bool), np.arange(5))
        play(first, 37, 2)
        second.reset(np.ones(5, bool), np.arange(50, 55))
        play(second, 3, 3)
        second.restore(first.save())
        mine, theirs = play(first, 40, 4), play(second, 40, 4)
        assert len(mine) == len(theirs)
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
    finally:
        first.close()
        second.close()


def test_only_fields_that_were_asked_for_are_packed() -> None:
    rows = batch(fields=SCHEMA.select(["bob.pushes"]))
    _, states = rows.reset(np.ones(5, bool), np.arange(5))
    assert states.shape == (5, 1) and not states.any()


def test_an_environment_that_fails_in_a_worker_shows_where() -> None:
    rows = batch(2)
    rows.reset(np.ones(5, bool), np.arange(5))
    with pytest.raises(RewardAgentError, match="does not like a quarter"):
        rows.step(np.full((5, 1), 0.25))
    rows.close()


def test_after_an_error_no_answer_is_taken_for_another() -> None:
    rows = batch(2)
    rows.reset(np.ones(5, bool), np.arange(5))
    only_the_first = np.array([[0.25], [0.0], [0.0], [0.0], [0.0]])
    with pytest.raises(RewardAgentError, match="does not like a quarter"):
        rows.step(only_the_first)
    assert rows.render(4).shape == (2, 2, 3)
    _, states = rows.reset(np.ones(5, bool), np.arange(5, 10))
    assert states[:, 0].tolist() == [np.random.default_rng(seed).normal() for seed in range(5, 10)]
    rows.close()


class Moody(Spring):
    """Starts otherwise every time it is made."""

    moods = iter(range(100))

    def __init__(self, fields: StateSchema) -> None:
        super().__init__(fields)
        self.mood = next(self.moods)

    def reset(self, seed: int) -> Array:
        return super().reset(seed + self.mood)


def test_an_episode_that_comes_out_otherwise_is_not_gone_on_with() -> None:
    first, second = (RowBatch(partial(Moody, SCHEMA), 1, SCHEMA) for _ in range(2))
    first.reset(np.ones(1, bool), np.zeros(1, np.int64))
    first.step(np.zeros((1, 1)))
    first.restore(first.save())
    with pytest.raises(RewardAgentError, match="from seed 0, came out otherwise"):
        second.restore(first.save())


def test_a_worker_that_dies_is_told_of() -> None:
    rows = batch(2)
    rows.reset(np.ones(5, bool), np.arange(5))
    with pytest.raises(RewardAgentError, match="exit code 7"):
        rows.step(np.full((5, 1), 0.5))
    rows.close()


class Counted(Spring):
    """Knows which of its kind live in this process, and which of them are open."""

    alive: ClassVar[weakref.WeakSet[Counted]] = weakref.WeakSet()
    open: ClassVar[weakref.WeakSet[Counted]] = weakref.WeakSet()

    def __init__(self, fields: StateSchema) -> None:
        super().__init__(fields)
        self.alive.add(self)
        self.open.add(self)

    def close(self) -> None:
        assert self in self.open
        self.open.discard(self)


@pytest.mark.parametrize(("workers", "here"), [(1, 5), (2, 0)])
def test_no_environment_stays_here_that_workers_step(workers: int, here: int) -> None:
    rows = RowBatch(partial(Counted, SCHEMA), 5, SCHEMA, workers=workers)
    gc.collect()
    assert len(Counted.alive) == len(Counted.open) == here
    assert rows.observation_space.shape == (2,) and rows.action_space.shape == (1,)
    rows.reset(np.ones(5, bool), np.arange(5))
    step = rows.step(np.ones((5, 1)))
    assert step.states[:, 1].tolist() == [1.0] * 5 and (rows.render(4) == 1).all()
    rows.close()
    assert not Counted.open


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match="set `threads` to 1"):
        RowBatch(lambda: Counted(SCHEMA), 4, SCHEMA, workers=2)
    assert not Counted.open

"""Rewards of a program that runs in a cell: the source of nearly every training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.program import Fault, Program, Rewards
from reward_agent.sandbox.cell import Cell
from reward_agent.schema import Array, StateSchema
from reward_agent.sources import SourceFaultError
from reward_agent.static_check import check
from reward_agent.task import Bools, Task

LARGEST = 1e6
"""Rewards and terms are clipped to this magnitude."""
BAD_SHARE = 1e-3
"""Share of rewards that may be no finite number before the program is at fault."""
BAD_FROM = 10_000
"""Rewards after which that share is looked at."""
SAMPLE_ROWS = 4


class CellSource:
    """A program's rewards, from a cell of its own. It vets nothing: `vet` says beforehand what is wrong.

    A total or term that is no finite number counts as 0; `bad_rewards` counts such totals among all `rewards` that
    were asked for. Where a training goes on that another source served before, `restore` hands its counts on: the
    limit on bad ones is the whole training's.

    Args:
        program: the reward.
        task: what it is for; only the fields that the program reads cross into the cell.
        unsafe: run it without a cell's locks, at the user's word.

    Raises:
        SourceFaultError: the program does not load.
        MissingComponentError: this machine cannot lock a cell.
    """

    def __init__(self, program: Program, task: Task, *, unsafe: bool = False) -> None:
        schema = task_schema(task).visible()
        self.fields: tuple[str, ...] = check(program, schema).fields
        self.program = program
        self.rewards = self.bad_rewards = 0
        self.calls = 0
        selected = schema.select(self.fields)
        sample = _sample(task, selected)
        self._cell = Cell(unsafe=unsafe)
        loaded = self._cell.load(program, selected, sample)
        if isinstance(loaded, Fault):
            self._cell.close()
            raise SourceFaultError(loaded)
        self.term_names: tuple[str, ...] = loaded

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers in force around the program."""
        return self._cell.layers

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        """See `RewardSource`.

        Raises:
            SourceFaultError: the program raised, gave another shape, took too long or too much memory, or more than
                0.1 % of its rewards are not finite.
        """
        steps, rows = was_reset.shape
        # before the program is asked: where it fails, these steps were simulated all the same
        self.rewards += steps * rows
        flat = (array.reshape(steps * rows, array.shape[2]) for array in (state, action, next_state))
        given = self._cell(*flat)
        if isinstance(given, Fault):
            raise SourceFaultError(replace(given, stage="optimise"))
        rewards = Rewards(given.total.reshape(steps, rows), given.terms.reshape(steps, rows, len(self.term_names)))
        self.calls += 1
        # not <=, as a comparison with nan is never true
        if not np.abs(rewards.total).max(initial=0.0) <= LARGEST:
            rewards = rewards._replace(total=self._mended(rewards.total))
        if not np.abs(rewards.terms).max(initial=0.0) <= LARGEST:
            rewards = rewards._replace(terms=_bounded(rewards.terms))
        return rewards

    def restore(self, rewards: int, bad_rewards: int) -> None:
        """Count on from here."""
        self.rewards, self.bad_rewards = rewards, bad_rewards

    def close(self) -> None:
        """End the cell. May be called twice."""
        self._cell.close()

    def _mended(self, total: Array) -> Array:
        self.bad_rewards += int((~np.isfinite(total)).sum())
        if self.rewards >= BAD_FROM and self.bad_rewards > BAD_SHARE * self.rewards:
            raise SourceFaultError(
                Fault(
                    "optimise",
                    f"{self.bad_rewards} of {self.rewards} rewards in training were nan or infinite (0.1 % may be). "
                    "Guard what can divide by zero, take the root or logarithm of a negative, or overflow in exp.",
                )
            )
        return _bounded(total)


def _bounded(values: Array) -> Array:
    return np.clip(np.where(np.isfinite(values), values, 0.0), -LARGEST, LARGEST)


def _sample(task: Task, schema: StateSchema) -> tuple[Array, Array, Array]:
    """State, action and next state of a few real transitions, from which the cell learns the terms' names."""
    generator = np.random.default_rng(0)
    episodes = Episodes(task, SAMPLE_ROWS, schema.by_path)
    try:
        episodes.reset(np.ones(SAMPLE_ROWS, bool), np.arange(SAMPLE_ROWS))
        before = episodes.states.copy()
        action = episodes.actions.draw(generator, SAMPLE_ROWS)
        after = episodes.step(action).states
        index = episodes.schema.indices(schema.by_path)
    finally:
        episodes.close()
    return before[:, index], action, after[:, index]

"""The probe: a program run in the cell on recorded transitions of its task, before any training is spent on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.program import REWARD, Fault, Program, Rewards
from reward_agent.sandbox.cell import Cell
from reward_agent.schema import Array, StateSchema
from reward_agent.sources.cell import LARGEST
from reward_agent.task import Task

ENVIRONMENTS = 16
STEPS_BETWEEN = 3
"""Steps played for each one kept, so that a small battery reaches further into episodes."""
TOLERANCE = 1e-6
"""Relative difference allowed where two numbers must agree."""
SINGLE_ROWS = 12
"""Rows that are also run alone."""
TIMED_CALLS = 15
DOMINATES = 0.98
"""Share of all variation above which a term leaves the others unheard (a light cost of effort stays below)."""
SLOW = 3000.0
"""Time of a call over the whole battery [µs] above which it is said."""


@dataclass(frozen=True)
class Battery:
    """Recorded transitions, packed by `schema`."""

    schema: StateSchema
    state: Array
    """`(n, D)`, before the action."""
    action: Array
    """`(n, A)`, as applied."""
    next_state: Array
    """`(n, D)`, after it."""

    def __len__(self) -> int:
        return len(self.state)

    def select(self, schema: StateSchema) -> tuple[Array, Array, Array]:
        """State, action and next state with the columns of just this selection, in its order."""
        index = self.schema.indices(schema.by_path)
        return self.state[:, index], self.action, self.next_state[:, index]


@dataclass(frozen=True)
class ProbeReport:
    """What running a program on a battery showed."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    term_names: tuple[str, ...] = ()
    microseconds_per_call: float | None = None
    """Of one call over the whole battery, the median; None when it never ran."""


def record_battery(task: Task, seed: int = 0, rows: int = 256) -> Battery:
    """Real transitions of a task: half by random actions, a quarter by held random ones, a quarter by none.

    Args:
        task: whose world is played; episodes that end begin anew.
        seed: of resets and actions; the same seed gives the same battery.
        rows: transitions kept, spread over the episodes from their first steps on.
    """
    schema = task_schema(task).visible()
    generator = np.random.default_rng(seed)
    episodes = Episodes(task, ENVIRONMENTS, schema.by_path)
    kept = []
    try:
        draw, idle = episodes.actions.draw, episodes.actions.idle(ENVIRONMENTS)
        held = draw(generator, ENVIRONMENTS)
        episodes.reset(np.ones(ENVIRONMENTS, bool), generator.integers(2**31, size=ENVIRONMENTS))
        index = episodes.schema.indices(schema.by_path)
        for step in range(-(-rows // ENVIRONMENTS) * STEPS_BETWEEN):
            actions = draw(generator, ENVIRONMENTS)
            actions[ENVIRONMENTS // 2 :] = held[ENVIRONMENTS // 2 :]
            actions[3 * ENVIRONMENTS // 4 :] = idle[3 * ENVIRONMENTS // 4 :]
            before = episodes.states.copy()
            after = episodes.step(actions)
            if step % STEPS_BETWEEN == 0:
                kept.append((before[:, index], actions, after.states[:, index].copy()))
            ended = after.terminated | after.truncated
            if ended.any():
                episodes.reset(ended, generator.integers(2**31, size=ENVIRONMENTS))
    finally:
        episodes.close()
    state, action, next_state = (_frozen(np.concatenate(arrays)[:rows]) for arrays in zip(*kept, strict=True))
    return Battery(schema, state, action, next_state)


def probe(program: Program, schema: StateSchema, battery: Battery, cell: Cell) -> ProbeReport:
    """Run a program on a battery in a fresh cell.

    Args:
        program: what to run.
        schema: the selection of visible fields it reads, in the battery's order.
        battery: of the task it is for.
        cell: one without a program; it has this one afterwards.
    """
    rows = battery.select(schema)
    names = cell.load(program, schema, (rows[0][:8], rows[1][:8], rows[2][:8]))
    if isinstance(names, Fault):
        return ProbeReport(faults=(names,))
    run = _Run(cell, rows, names, "term" if program.entry == REWARD else "subgoal")
    first = cell(*rows)
    if isinstance(first, Fault):
        return ProbeReport(faults=(first,), term_names=names)
    fault = run.fault(first)
    if fault is not None:
        return ProbeReport(faults=(fault,), term_names=names)
    microseconds = run.time()
    warned = _warnings if run.kind == "term" else _unreached
    return ProbeReport(
        warnings=tuple(warned(first, names, microseconds, len(battery))),
        term_names=names,
        microseconds_per_call=microseconds,
    )


@dataclass(frozen=True)
class _Run:
    """A loaded program and the rows it is run on."""

    cell: Cell
    rows: tuple[Array, Array, Array]
    names: tuple[str, ...]
    kind: Literal["term", "subgoal"]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return ("the total", *(f"the {self.kind} `{name}`" for name in self.names))

    def fault(self, first: Rewards) -> Fault | None:
        """The first thing that is wrong with the numbers, given those of a first call on all rows."""
        values = _columns(first)
        finite = np.isfinite(values)
        if not finite.all():
            which = int(np.argmin(finite[:, 1:].all(0))) + 1 if not finite[:, 1:].all() else 0
            count = int((~finite[:, which]).sum())
            kind = "nan" if np.isnan(values[:, which]).any() else "infinite"
            return _fault(
                f"{self.labels[which]} is {kind} in {count} of {len(values)} recorded transitions. Guard divisions, "
                "logarithms, roots and `exp` of large numbers (`np.clip`, `np.maximum(x, 1e-6)`)."
            )
        again = self.cell(*self.rows)
        if isinstance(again, Fault):
            return again
        wrong = np.flatnonzero((_columns(again) != values).any(0))
        if len(wrong):
            return _fault(
                f"{self.labels[wrong[0]]} differs when the same transitions are given again: a reward has no "
                "memory and no randomness."
            )
        return self._alone(values) or self._sum(values)

    def _alone(self, values: Array) -> Fault | None:
        """Each row must not depend on the others of the batch."""
        scale = np.abs(values).max(0)
        for row in np.linspace(0, len(values) - 1, min(SINGLE_ROWS, len(values))).astype(int):
            alone = self.cell(*(array[row : row + 1] for array in self.rows))
            if isinstance(alone, Fault):
                return alone
            single = _columns(alone)[0]
            # the second part lets rounding pass where large numbers cancel
            allowed = TOLERANCE * np.maximum(np.abs(single), np.abs(values[row])) + 1e-12 * scale
            wrong = np.flatnonzero(~(np.abs(single - values[row]) <= allowed))
            if len(wrong):
                at = int(wrong[-1])  # a term tells more than the total it is part of
                return _fault(
                    f"{self.labels[at]} of one environment depends on the others: row {row} is "
                    f"{values[row, at]:.6g} in a batch and {single[at]:.6g} alone. Reduce over the last axis "
                    "(`axis=-1`), never over the first, and normalise by constants, not by the batch."
                )
        return None

    def _sum(self, values: Array) -> Fault | None:
        total, terms = values[:, 0], values[:, 1:]
        allowed = TOLERANCE * np.maximum(np.abs(total), np.abs(terms).sum(1))
        wrong = np.flatnonzero(np.abs(total - terms.sum(1)) > allowed)
        if not len(wrong):
            return None
        row = int(wrong[0])
        parts = " + ".join(f"{name} {value:.4g}" for name, value in zip(self.names, terms[row], strict=True))
        return _fault(
            f"the total is not the sum of its terms: {total[row]:.6g} is not {parts} = {terms[row].sum():.6g}. "
            "A weight, product or gate belongs inside a term; return `sum(terms.values()), terms`."
        )

    def time(self) -> float:
        """Median time of a call on all rows [µs]."""
        taken = []
        for _ in range(TIMED_CALLS):
            begun = time.perf_counter()
            self.cell(*self.rows)
            taken.append(time.perf_counter() - begun)
        return float(np.median(taken) * 1e6)


def _warnings(rewards: Rewards, names: tuple[str, ...], microseconds: float, rows: int) -> list[str]:
    found = []
    spread = rewards.terms.std(0)
    size = np.abs(rewards.terms).max(0)
    still = (spread <= 1e-12 * size) | (size <= 1e-9 * np.abs(rewards.total).max())
    if rewards.total.std() <= 1e-12 * np.abs(rewards.total).max():
        found.append(
            f"The total is {rewards.total[0]:.4g} in every one of {rows} recorded transitions (random, held and no "
            "actions): there is nothing to learn from until a policy happens to change it."
        )
    else:
        found += [
            f"The term `{name}` is {round(value, 9):.4g} in every one of {rows} recorded transitions; it may be "
            "constant, or reached only later."
            for name, value, constant in zip(names, rewards.terms[0], still, strict=True)
            if constant
        ]
    moving = int((~still).sum())
    if moving > 1 and spread.max() > DOMINATES * spread.sum():
        at = int(spread.argmax())
        found.append(
            f"The term `{names[at]}` makes {spread[at] / spread.sum():.0%} of all variation in recorded transitions: "
            "the others are hardly heard. Bring terms to similar scales."
        )
    largest = float(np.abs(rewards.total).max())
    if largest > LARGEST:
        found.append(f"The total reaches {largest:.3g}; training clips it to ±{LARGEST:.0e}.")
    return [*found, *_slow(microseconds, rows)]


def _unreached(given: Rewards, names: tuple[str, ...], microseconds: float, rows: int) -> list[str]:
    """Of a program that says which subgoals were reached."""
    counts = given.terms.sum(0)
    found = [
        f"The subgoal `{name}` is reached in every one of {rows} recorded transitions: let it be reached in the one "
        "in which it comes true, and not before or after."
        for name, count in zip(names, counts, strict=True)
        if count == rows
    ]
    return [*found, *_slow(microseconds, rows)]


def _slow(microseconds: float, rows: int) -> list[str]:
    if microseconds <= SLOW:
        return []
    return [f"A call on {rows} rows takes {microseconds / 1000:.1f} ms, which will slow training down."]


def _columns(rewards: Rewards) -> Array:
    return np.column_stack([rewards.total, rewards.terms])


def _fault(message: str) -> Fault:
    return Fault("probe", message[0].upper() + message[1:])


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array

"""A reward beside the one that is published for its task: as text, and by what it pays on shared transitions.

Where a model has written the published reward again, or something that teaches the same, its score says little of the
method that asked it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reward_agent.codec import decode
from reward_agent.coverage import Coverage, Demonstrates, as_disguised, record_coverage
from reward_agent.envs.episodes import task_schema
from reward_agent.envs.registry import find_again, tasks
from reward_agent.epic import Distance, Draws, canonical, pearson
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError
from reward_agent.fewshot import is_same
from reward_agent.final import BEST
from reward_agent.optimise.policy import ARCHITECTURE, load_policy
from reward_agent.probe import Battery
from reward_agent.program import Fault, Program
from reward_agent.sandbox.cell import Cell
from reward_agent.schema import Array
from reward_agent.scoring import Acting
from reward_agent.search import Vetted
from reward_agent.similarity import SharedNumbers, likeness, shared_numbers
from reward_agent.sittings import config_of
from reward_agent.static_check import check
from reward_agent.store import read_manifest, read_steps
from reward_agent.task import Task

ROWS, DRAWS = 1024, 256
DISCOUNT = 0.99
SCRIPTED = "the world's scripted"
VET = "vet"
"""Stage of what became of a reply, in a run's journal."""


@dataclass(frozen=True)
class Values:
    """How far the rewards that two programs pay are apart, 0 to 1: see `epic`."""

    epic: Distance
    direct: Distance
    """Pearson's distance of the rewards as they are, on recorded transitions alone: shaping counts."""
    not_finite: int
    """Of the program's rewards, how many were no number and counted as 0."""


@dataclass(frozen=True)
class Compared:
    """One program beside the published one."""

    text: float
    """See `similarity.likeness`."""
    numbers: SharedNumbers
    values: Values | Fault
    """A fault where the program does not run."""


@dataclass(frozen=True)
class Comparison:
    """Programs for one task beside the one that is published for it."""

    task: str
    published: str
    """Which published reward it is, as `Gymnasium v5`; empty where it is an expert's of ours."""
    expert: Program
    programs: Mapping[str, Compared]
    others: Mapping[str, float]
    """Likeness of the published program, as text, to those of other tasks of its world by their ids: what to hold a
    likeness against."""
    rows: int
    """Transitions that values are compared on."""
    episodes: int
    """That these are of, and that the intervals draw anew."""
    policies: tuple[str, ...]
    """Whose transitions, beside those of random actions."""
    discount: float


def compare(
    programs: Mapping[str, Program],
    task: Task,
    policies: Mapping[str, tuple[Task, Acting]] | None = None,
    *,
    rows: int = ROWS,
    draws: int = DRAWS,
    discount: float = DISCOUNT,
    seed: int = 0,
    unsafe: bool = False,
) -> Comparison:
    """Hold programs for a task against its expert reward.

    Args:
        programs: not trusted; by a label of the caller's.
        task: which they are for. Where it is disguised, the expert is that of the task as it is known.
        policies: whose transitions to compare on, beside those of random actions and of the world's own scripted policy
            where it has one; each with the task it is for (this one, or it in disguise), by a label.
        rows: transitions, from whole episodes; fewer where these are short.
        draws: that the expectations of EPIC are means over.
        discount: of EPIC.
        seed: of all that is drawn.
        unsafe: run programs without the sandbox.

    Raises:
        UsageError: the task has no expert reward.
        MissingComponentError: this machine lacks the world, or what locks a cell.
    """
    known = task.undisguised
    if known.expert is None:
        raise UsageError(f"{known.id} has no expert reward, so there is nothing published to compare with.")
    if (lacking := known.world.missing()) is not None:
        raise MissingComponentError(f"{known.id} cannot run here: {lacking}")
    expert, players = Program(known.expert.read_text(encoding="utf-8")), dict(policies or {})
    if isinstance(known.world, Demonstrates):
        players[SCRIPTED] = known, known.world.demonstrator()
    shared = _Shared.record(task, tuple(players.values()), rows, draws, discount, seed, unsafe)
    its = shared.pays(expert, known)
    if isinstance(its, Fault):
        raise RewardAgentError(f"The expert reward of {known.id} does not run: {its.message}")
    compared = {
        label: Compared(likeness(expert, program), shared_numbers(expert, program), shared.apart(program, task, its))
        for label, program in programs.items()
    }
    return Comparison(
        task.id,
        known.reward_version,
        expert,
        compared,
        _others(known, expert),
        rows=len(shared.transitions),
        episodes=len(np.unique(shared.transitions.origin.episode)),
        policies=tuple(players),
        discount=discount,
    )


def compare_run(folder: Path, task: Task | None = None, *, unsafe: bool = False) -> Comparison:
    """Hold every program of a run that could be trained on against the published reward of its task.

    Values are compared on what the run's best policy and the expert's do as well, where they are there. Programs go by
    `iteration.candidate`; `unsafe` runs them, and those that policies plan on, without the sandbox.

    Raises:
        UsageError: there is no run, only its caller has its task, or as `compare`.
        MissingComponentError: as `compare`.
    """
    manifest, steps = read_manifest(folder), read_steps(folder)
    config = config_of(manifest, steps)
    task = task or find_again(config.task, "Compare it from there: `reward_agent.comparison.compare_run(run, task)`.")
    programs: dict[str, Program] = {}
    for key, value in sorted(steps.items()):
        if key.stage == VET:
            vetted = decode(Vetted, value)
            if vetted.program is not None and not vetted.faults:
                programs[f"{key.iteration}.{key.candidate}"] = vetted.program
    found = run_policies(folder, task)
    policies = {label: (of, load_policy(path, unsafe=unsafe)) for label, (of, path) in found.items()}
    return compare(programs, task, policies, unsafe=unsafe)


def run_policies(folder: Path, task: Task) -> dict[str, tuple[Task, Path]]:
    """Folders of a finished run's best policy and of its expert's first, with the task that each is for."""
    found = {"the best of the run": (task, folder / BEST)}
    for path in sorted(folder.glob(f"expert/*/seed_00/{ARCHITECTURE}"))[:1]:
        found["the expert's"] = (task.undisguised, path.parent)
    return {label: (of, path) for label, (of, path) in found.items() if (path / ARCHITECTURE).is_file()}


@dataclass(frozen=True)
class _Pays:
    """What a program pays on the shared transitions."""

    plain: Array
    canonical: Array
    not_finite: int


@dataclass(frozen=True)
class _Shared:
    """Transitions that programs are compared on, and what EPIC draws; of the task as it is known."""

    transitions: Coverage
    drawn: Battery
    discount: float
    seed: int
    unsafe: bool

    @classmethod
    def record(
        cls,
        task: Task,
        policies: Sequence[tuple[Task, Acting]],
        rows: int,
        draws: int,
        discount: float,
        seed: int,
        unsafe: bool,
    ) -> _Shared:
        found = record_coverage(task, policies, rows=rows, seed=seed)
        states = np.concatenate([found.state, found.next_state])
        drawn = Draws.of(states, found.action, draws, np.random.default_rng(seed))
        return cls(found, Battery(found.schema, drawn.state, drawn.action, drawn.next_state), discount, seed, unsafe)

    def pays(self, program: Program, task: Task) -> _Pays | Fault:
        """What a program for the task (or for it in disguise) pays."""
        schema = task_schema(task).visible()
        report = check(program, schema)
        if report.faults:
            return report.faults[0]
        selected = schema.select(report.fields)
        rows, drawn = (as_disguised(task, battery).select(selected) for battery in (self.transitions, self.drawn))
        with Cell(unsafe=self.unsafe) as cell:
            loaded = cell.load(program, selected, (rows[0][:8], rows[1][:8], rows[2][:8]))
            if isinstance(loaded, Fault):
                return loaded
            asked = _Asked(cell)
            try:
                form = canonical(asked, *rows, Draws(*drawn), self.discount)
                asked.not_finite = 0
                return _Pays(asked(*rows), form, asked.not_finite)
            except _FaultyError as error:
                return error.fault

    def apart(self, program: Program, task: Task, from_: _Pays) -> Values | Fault:
        """How far a program's rewards are from others."""
        its = self.pays(program, task)
        if isinstance(its, Fault):
            return its
        generator, origin = np.random.default_rng(self.seed), self.transitions.origin
        epic, direct = (
            pearson(a, b, origin, generator) for a, b in ((from_.canonical, its.canonical), (from_.plain, its.plain))
        )
        return Values(epic, direct, its.not_finite)


class _FaultyError(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class _Asked:
    """A program in its cell as a function; what is no number counts as 0, and is counted."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.not_finite = 0

    def __call__(self, state: Array, action: Array, next_state: Array) -> Array:
        given = self._cell(state, action, next_state)
        if isinstance(given, Fault):
            raise _FaultyError(given)
        finite = np.isfinite(given.total)
        self.not_finite += int((~finite).sum())
        return np.where(finite, given.total, 0.0)


def _others(task: Task, expert: Program) -> dict[str, float]:
    """Likeness of the expert to those of other tasks of its world."""
    return {
        other.id: likeness(expert, Program(other.expert.read_text(encoding="utf-8")))
        for other in tasks().values()
        if other.expert and other.world.name == task.world.name and not is_same(task, other)
    }

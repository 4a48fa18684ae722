"""What a program that tells subgoals says of recorded trajectories, asked in the cell as in a training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing

import numpy as np

from reward_agent.crediting import Reached
from reward_agent.crediting.trajectories import Trajectory
from reward_agent.envs.episodes import task_schema
from reward_agent.errors import UsageError, unknown_name
from reward_agent.program import SUBGOALS, Program
from reward_agent.schema import Array
from reward_agent.sources import RewardSource
from reward_agent.sources.cell import CellSource
from reward_agent.subgoals import Subgoal
from reward_agent.task import Task


def told_by(
    program: Program, task: Task, trajectories: Sequence[Trajectory], *, unsafe: bool = False
) -> list[list[Reached]]:
    """What it says of each transition of each trajectory.

    Raises:
        UsageError: it tells no subgoals, or trajectories are of another task, or lack a field that it reads.
        SourceFaultError: it fails.
        MissingComponentError: this machine cannot lock a cell.
    """
    _require_subgoals(program)
    with closing(CellSource(program, task, unsafe=unsafe)) as source:
        return said_by(source, task, trajectories)


def said_by(source: RewardSource, task: Task, trajectories: Sequence[Trajectory]) -> list[list[Reached]]:
    """What a source whose terms are subgoals, 0 or 1, says of each transition of each trajectory.

    Raises:
        UsageError: trajectories are of another task, or lack a field that it reads.
        SourceFaultError: it fails.
    """
    told: list[list[Reached]] = []
    for each in trajectories:
        if each.task != task.id:
            raise UsageError(f"The trajectory {each.id} is of {each.task}, and subgoals are those of {task.id}.")
        before, action, after = packed(each, task, source.fields)
        was_reset = np.zeros((len(action), 1), bool)
        was_reset[0] = True
        said = source(before[:, None], action[:, None], after[:, None], was_reset).terms[:, 0] > 0.5
        told.append([dict(zip(source.term_names, map(bool, row), strict=True)) for row in said])
    return told


def packed(each: Trajectory, task: Task, fields: Sequence[str]) -> tuple[Array, Array, Array]:
    """Its T transitions as sources are given them: states `(T, F)` of these fields, actions `(T, 1)`, next states.

    Raises:
        UsageError: it lacks a field.
    """
    schema = task_schema(task)
    there = schema.select(each.fields)
    for path in fields:
        if path not in there.by_path:
            raise unknown_name(f"state field (in the trajectory {each.id})", path, there.by_path)
    states = each.states[:, there.indices(fields)]
    numbers = {name: float(number) for number, name in enumerate(schema.action.names)}
    return states[:-1], np.array([[numbers[name]] for name in each.actions]), states[1:]


def subgoals_of(program: Program, task: Task, *, unsafe: bool = False) -> tuple[Subgoal, ...]:
    """Those that a program tells, to be looked for by who reads screens: each is what the comment on the line says
    where the program first writes its name as text, or its name in words.

    Raises:
        UsageError: it tells no subgoals.
        SourceFaultError: it does not load.
        MissingComponentError: this machine cannot lock a cell.
    """
    _require_subgoals(program)
    with closing(CellSource(program, task, unsafe=unsafe)) as source:
        names = source.term_names
    return tuple(Subgoal(name, _comment(program.source, name) or name.replace("_", " ")) for name in names)


def _require_subgoals(program: Program) -> None:
    if program.entry != SUBGOALS:
        raise UsageError("The program tells no subgoals: it must define `def subgoals(state, action, next_state):`.")


def _comment(source: str, name: str) -> str:
    line = next((line for line in source.splitlines() if re.search(rf"""["']{re.escape(name)}["']""", line)), "")
    return line.partition("#")[2].strip()

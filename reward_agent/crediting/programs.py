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
    numbers = {name: number for number, name in enumerate(task_schema(task).action.names)}
    told: list[list[Reached]] = []
    with closing(CellSource(program, task, unsafe=unsafe)) as source:
        for each in trajectories:
            if each.task != task.id:
                raise UsageError(f"The trajectory {each.id} is of {each.task}, and the program is asked for {task.id}.")
            columns = columns_of(each, task, source.fields)
            states = each.states[:, None, columns]
            action = np.array([float(numbers[name]) for name in each.actions]).reshape(-1, 1, 1)
            was_reset = np.zeros((len(action), 1), bool)
            was_reset[0] = True
            said = source(states[:-1], action, states[1:], was_reset).terms[:, 0] > 0.5
            told.append([dict(zip(source.term_names, map(bool, row), strict=True)) for row in said])
    return told


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


def columns_of(each: Trajectory, task: Task, wanted: Sequence[str]) -> list[int]:
    """Where in a trajectory's states these fields are.

    Raises:
        UsageError: it lacks one.
    """
    schema = task_schema(task).select(each.fields)
    for path in wanted:
        if path not in schema.by_path:
            raise unknown_name(f"state field (in the trajectory {each.id})", path, schema.by_path)
    return [int(index) for index in schema.indices(wanted)]

"""What a program that tells subgoals says of recorded trajectories, asked in the cell as in a training."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
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


def described(program: Program, names: Sequence[str]) -> tuple[Subgoal, ...]:
    """Subgoals of these names for a person to review: as `subgoals_of`, and where the line of the name has no comment,
    what the program says beside or above the line that gives the name's variable its value.

    Readers are asked about those of `subgoals_of`, whose words their answers are kept by.
    """
    source = program.source
    return tuple(
        Subgoal(name, _comment(source, name) or _beside_value(source, name) or name.replace("_", " ")) for name in names
    )


def line_of(source: str, name: str) -> int | None:
    """The first line that has a subgoal's name as text, from 1 on."""
    written = re.compile(rf"""["']{re.escape(name)}["']""")
    return next((number for number, line in enumerate(source.splitlines(), 1) if written.search(line)), None)


def _require_subgoals(program: Program) -> None:
    if program.entry != SUBGOALS:
        raise UsageError("The program tells no subgoals: it must define `def subgoals(state, action, next_state):`.")


def _comment(source: str, name: str) -> str:
    line = line_of(source, name)
    return _said_on(source.splitlines()[line - 1]) if line else ""


def _beside_value(source: str, name: str) -> str:
    """The comment of the statement that sets the variable which a dict gives as the value of `name`."""
    lines = source.splitlines()
    for first, last in _assigned(ast.parse(source), name):
        above = lines[first - 2].strip() if first > 1 else ""
        said = [_said_on(line) for line in lines[first - 1 : last]]
        said += [above.lstrip("# ")] if above.startswith("#") else []
        return next(filter(None, said), "")
    return ""


def _assigned(tree: ast.AST, name: str) -> Iterator[tuple[int, int]]:
    """First and last line of each statement that sets that variable."""
    variables = {
        value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == name and isinstance(value, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in variables for t in node.targets):
            yield node.lineno, node.end_lineno or node.lineno


def _said_on(line: str) -> str:
    return line.partition("#")[2].strip()

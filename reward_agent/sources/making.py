"""The reward source of a program: its own reward, or what the subgoals that it tells are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reward_agent.program import SUBGOALS, Program
from reward_agent.sources import CountingSource
from reward_agent.sources.cell import CellSource
from reward_agent.task import Task


def source_of(
    program: Program, task: Task, shaping: Mapping[str, Any] | None = None, *, unsafe: bool = False
) -> CountingSource:
    """Made anew, in a cell of its own.

    Args:
        program: not trusted.
        task: what it is for.
        shaping: what to change of `shaping.Shaping`, for a program that tells subgoals.
        unsafe: see `CellSource`.

    Raises:
        SourceFaultError: the program does not load.
        MissingComponentError: this machine cannot lock a cell.
        UsageError: `shaping` cannot be meant so.
    """
    if program.entry != SUBGOALS:
        return CellSource(program, task, unsafe=unsafe)
    from reward_agent.sources.shaping import ShapedSource, shaping_of

    wanted = shaping_of(shaping)  # before a process is started
    return ShapedSource(CellSource(program, task, unsafe=unsafe), task, wanted)

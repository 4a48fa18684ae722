"""What a run leaves open, as suits its task, optimiser and method."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from reward_agent.config import RunConfig
from reward_agent.methods import find_method
from reward_agent.optimise.choice import usual
from reward_agent.recorded import OPEN as RECORDED
from reward_agent.task import Task

OPEN = (*RECORDED, "optimiser", "final_seeds", "select_episodes", "report_episodes")
"""Options that may be left open: their values in a config are only defaults then."""


def fit(config: RunConfig, task: Task, left_open: Collection[str]) -> RunConfig:
    """The config with what was left open as its task, its optimiser and its method want it.

    Raises:
        UsageError: there is no such optimiser or method.
    """
    if "optimiser" in left_open:
        config = replace(config, optimiser=task.optimiser)
    effort, method = usual(config.optimiser), find_method(config.method)
    wanted: dict[str, Any] = {
        # more than one training is for the interval of a score
        "final_seeds": effort.trainings if task.metrics else 1,
        "select_episodes": effort.select_episodes,
        "report_episodes": effort.report_episodes,
        "iterations": getattr(method, "usual_iterations", config.iterations),
        "candidates": getattr(method, "usual_candidates", config.candidates),
    }
    return replace(config, **{name: value for name, value in wanted.items() if name in left_open})

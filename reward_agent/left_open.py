"""What a run leaves open, as suits its task, optimiser and method."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from reward_agent.config import RunConfig
from reward_agent.errors import UsageError, unknown_name
from reward_agent.methods import find_method
from reward_agent.optimise.choice import usual
from reward_agent.program import REWARD
from reward_agent.recorded import OPEN as RECORDED
from reward_agent.task import Task

COMPARING = "icpl"
"""The method for a task without metrics where none is named."""
STAND_IN, PAGE = "metric", "page"
"""Judges where a method cannot do without one and none is named: of tasks with metrics, and of those without."""
OPEN = (*RECORDED, "optimiser", "final_seeds", "select_episodes", "report_episodes")
"""Options that may be left open: their values in a config are only defaults then."""


def fit(config: RunConfig, task: Task, left_open: Collection[str]) -> RunConfig:
    """The config with what was left open as its task, its optimiser and its method want it.

    Raises:
        UsageError: there is no such optimiser or method.
    """
    if "method" in left_open and not task.metrics:
        config = replace(config, method=COMPARING)
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
    fitted = replace(config, **{name: value for name, value in wanted.items() if name in left_open})
    return _begun(fitted, task, left_open)


def _begun(config: RunConfig, task: Task, left_open: Collection[str]) -> RunConfig:
    """The config with what its method trains on without asking for it, where it does so."""
    begins_with = getattr(find_method(config.method), "begins_with", None)
    if begins_with is None:
        return config
    if left_open and "iterations" not in left_open and config.iterations:
        raise UsageError(
            f"The method {config.method} has no rounds, for it asks for no program: leave `--iterations` out."
        )
    if config.initial is not None and config.initial.entry == REWARD:
        raise UsageError(
            f"The method {config.method} trains on subgoals in words and on no reward: leave `--init` out."
        )
    return replace(config, initial=begins_with(task, config.subgoals), iterations=0, candidates=1)


def with_judge(config: RunConfig, task: Task) -> RunConfig:
    """The config with a judge named where its method cannot do without one.

    Raises:
        UsageError: the judge cannot judge the task, or the method would not listen to it.
    """
    if config.judge is None and _compares(config) == "always":
        config = replace(config, judge=STAND_IN if task.metrics else PAGE)
    require_judge(config, task)
    return config


def require_judge(config: RunConfig, task: Task) -> None:
    """Raise `UsageError` where the judge cannot judge the task or the method would not listen to it."""
    known = getattr(find_method(config.method), "ablations", ())
    if config.without and not known:
        raise UsageError(f"The method {config.method} has no parts that `--without` leaves out; icpl has.")
    for part in config.without:
        if part not in known:
            raise unknown_name(f"part that {config.method} can leave out", part, known)
    judge = config.make_judge()
    if judge is None:
        if not task.metrics and _chooses(config):
            raise UsageError(
                f"{task.id} has no metric, so nothing says which reward is best: name who compares, as "
                "`--judge page`, with a method that listens to a judge (`--method icpl`, or `--method text2reward`)."
            )
        return
    if _compares(config) == "never":
        raise UsageError(
            f"The method {config.method} goes by the metric and listens to no judge. Leave `--judge` out, or take "
            "`--method icpl`, or `--method text2reward`."
        )
    if lacking := judge.missing(task):
        raise UsageError(lacking)


def _chooses(config: RunConfig) -> bool:
    """More than one program may be trained, and one of them is the result."""
    settings = config.method_settings()
    return sum(settings.width(iteration) for iteration in range(settings.rounds)) > 1


def _compares(config: RunConfig) -> str:
    return str(getattr(find_method(config.method), "compares", "never"))

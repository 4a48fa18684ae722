"""From a sentence to a reward program and a trained policy. What is public is listed and documented in `api`.

Importing this package imports nothing else: a name is found when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reward_agent.api import (
        Evaluation,
        Metric,
        Policy,
        Program,
        Result,
        RunConfig,
        Task,
        Termination,
        Verdict,
        as_vec_env,
        check,
        evaluate,
        find_task,
        load_policy,
        read_program,
        resume,
        synthesize,
        tasks,
    )

__all__ = [
    "Evaluation",
    "Metric",
    "Policy",
    "Program",
    "Result",
    "RunConfig",
    "Task",
    "Termination",
    "Verdict",
    "as_vec_env",
    "check",
    "evaluate",
    "find_task",
    "load_policy",
    "read_program",
    "resume",
    "synthesize",
    "tasks",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module("reward_agent.api"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

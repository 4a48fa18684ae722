"""From a sentence to a reward program and a trained policy. What is public is listed and documented in `api`.

Importing this package imports nothing else: a name is found when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
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


class _Package(ModuleType):
    """`check` and `evaluate` are modules too: importing those must not put them in the place of the functions."""

    def __getattr__(self, name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module("reward_agent.api"), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *__all__})


sys.modules[__name__].__class__ = _Package

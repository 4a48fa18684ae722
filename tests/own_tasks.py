"""Tasks over the environments of `own_envs`."""

from __future__ import annotations

from typing import Any

from own_envs import Float, float_state, middle

from reward_agent import Task

SENTENCE = "stay in the middle"


def nothing(episode: Any) -> float:
    return 0.0


def float_task(**options: Any) -> Task:
    given: dict[str, Any] = {"state": float_state, "metric": middle, "horizon": 30} | options
    return Task.from_gymnasium(Float, SENTENCE, **given)


def all_fields(task: Task) -> tuple[str, ...]:
    return tuple(field.path for field in task.world.schema().fields)

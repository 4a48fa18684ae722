"""A task from an environment, a sentence and a metric: what `Task.from_gymnasium` does."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_type_hints

import gymnasium
import numpy as np

from reward_agent.envs.gymnasium.making import Factory, name_of
from reward_agent.envs.gymnasium.state import VALUES
from reward_agent.envs.gymnasium.world import GymnasiumWorld
from reward_agent.errors import UsageError, unknown_name
from reward_agent.schema import Constant, StateSchema
from reward_agent.task import Episode, GymnasiumOptions, Metric, Task

WORLD_OPTIONS = ("state", "fields", "columns", "actions", "action_bounds", "parallel_envs")


def make_task(factory: Factory, instruction: str, options: GymnasiumOptions) -> Task:
    """See `Task.from_gymnasium`."""
    card: dict[str, Any] = dict(options)
    for name in card.keys() - GymnasiumOptions.__annotations__.keys():
        raise unknown_name("option of `Task.from_gymnasium`", name, GymnasiumOptions.__annotations__)
    if card.get("metric") is None and "metrics" not in card:
        raise UsageError(
            "A task needs a metric that judges its episodes: `metric=` a function of an `Episode` that returns a "
            "number (or, annotated `-> bool`, whether it succeeded), or `metrics=` several. Where no number can tell, "
            "`metrics=()` says so: a judge then compares what candidates do."
        )
    several, one = card.pop("metrics", ()), card.pop("metric", None)
    metrics = [*(several if isinstance(several, Sequence) else [several])]
    metrics += [] if one is None else [one]
    task_id, horizon = card.pop("id", "") or f"own/{_slug(name_of(factory))}", card.pop("horizon", None)
    given = {name: card.pop(name) for name in WORLD_OPTIONS if name in card}
    if "actions" in given:
        given["actions"] = tuple(given["actions"])
    given["columns"] = tuple(given.get("columns", ()))
    given["constants"] = _constants(card.pop("constants", {}))
    given["seconds"] = card.pop("dt", None)
    if isinstance(factory, str) and horizon is not None:
        factory = partial(gymnasium.make, factory, max_episode_steps=horizon, disable_env_checker=True)
    world = GymnasiumWorld(factory, **given)
    schema = world.schema().edit(hide=card.get("hide", ()), rename=card.get("rename", {}))
    if VALUES in schema and schema.by_path[VALUES].width > 1:
        warnings.warn(
            f"The state of {task_id} is one unnamed list, `{VALUES}`. A model writes better rewards from quantities "
            "with names and units: give `state` (a function) or `columns` (a name for each number), and `fields` for "
            "what they mean.",
            stacklevel=3,
        )
    return Task(
        id=task_id,
        instruction=instruction,
        world=world,
        horizon=_horizon(world, factory, horizon),
        metrics=tuple(_metric(metric, schema) for metric in metrics),
        **card,
    )


def _metric(given: Metric | Callable[[Episode], float], schema: StateSchema) -> Metric:
    """A metric as it is; a plain function as one that may read every field."""
    if isinstance(given, Metric):
        return given
    if not callable(given):
        raise UsageError(f"A metric is a `Metric` or a function of an `Episode`, not {given!r:.80}.")
    try:
        success = get_type_hints(given).get("return") is bool
    except NameError:  # an annotation that is imported for type checkers alone
        success = getattr(given, "__annotations__", {}).get("return") in (bool, "bool")
    name = str(getattr(given, "__name__", type(given).__name__))
    doc = (inspect.getdoc(given) or name.replace("_", " ")).partition("\n\n")[0]
    return Metric(name, "success" if success else "fitness", " ".join(doc.split()), tuple(schema.by_path), given)


def _horizon(world: GymnasiumWorld, factory: Factory, given: int | None) -> int:
    limit = world.limit
    if given is None and limit is None:
        raise UsageError(f"{name_of(factory)} has no limit of its own to an episode's steps: say `horizon=`.")
    if given is not None and limit is not None and limit < given:
        raise UsageError(
            f"An episode of {name_of(factory)} ends after {limit} steps by its own `TimeLimit`, before "
            f"`horizon={given}`. Leave `horizon` out, or make the environment without that limit."
        )
    chosen = given if given is not None else limit
    assert chosen is not None
    return chosen


def _constants(given: Any) -> tuple[Constant, ...]:
    if isinstance(given, Sequence):
        return tuple(given)
    values = {name: np.asarray(value, np.float64).ravel().tolist() for name, value in given.items()}
    return tuple(
        Constant(name, tuple(value) if len(value) > 1 else value[0], name.replace("_", " "))
        for name, value in values.items()
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-") or "task"

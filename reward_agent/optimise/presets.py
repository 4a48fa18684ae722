"""Settings of an optimiser: what all have in common, one preset a class of tasks, and changes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

from reward_agent.errors import UsageError, unknown_name

DEFAULT = "default"
TASK_CLASSES: Mapping[str, str] = {
    DEFAULT: "nothing is known of the task",
    "locomotion": "get along, by steps without end",
    "acrobatics": "one leap or flip within a second",
    "posture": "take a pose, or move one limb",
    "manipulation": "short reaches and pushes",
    "balance": "keep an unstable thing up",
    "swim": "thrust that pays off many strokes later",
}
"""What `Task.preset` may name. An optimiser may have presets for other classes as well."""


@dataclass(frozen=True)
class Settings:
    """What every optimiser has; an optimiser's own settings are a subclass, its defaults of these its own."""

    num_envs: int = 64
    discount: float = 0.99
    normalise_reward: bool = True
    """Divide by the running deviation of the discounted return: programs come in any scale."""
    threads: int = 1
    """For physics and update. It changes no result."""
    checkpoint_seconds: float = 30.0
    """Least time between checkpoints."""


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Preset(Generic[S]):
    """What an optimiser trains a class of tasks with."""

    settings: S
    origin: str
    """Where the values come from, and what was changed."""


def choose(presets: Mapping[str, Preset[S]], task_class: str, changes: Mapping[str, Any] | None = None) -> S:
    """Settings for a class of tasks: of its preset, or of the default one where the optimiser has none for it.

    Args:
        presets: by task class; `default` is among them.
        task_class: see `TASK_CLASSES`.
        changes: what a caller wants otherwise.

    Raises:
        UsageError: there is no such class or setting, or a value of another type.
    """
    if task_class not in {*TASK_CLASSES, *presets}:
        raise unknown_name("preset", task_class, {*TASK_CLASSES, *presets})
    return changed(presets.get(task_class, presets[DEFAULT]).settings, changes)


def changed(settings: S, changes: Mapping[str, Any] | None) -> S:
    """`settings` with what a caller wants otherwise.

    Raises:
        UsageError: an unknown setting, or a value of another type.
    """
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}
    values = {}
    for name, value in (changes or {}).items():
        if name not in known:
            raise unknown_name("setting", name, known)
        values[name] = _as(type(known[name]), name, value)
    return replace(settings, **values)


def _as(kind: type, name: str, value: Any) -> Any:
    if kind is tuple and isinstance(value, (list, tuple)) and all(isinstance(v, int) for v in value):
        return tuple(value)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise UsageError(f"The setting {name!r} wants a {kind.__name__}, not {value!r}.")

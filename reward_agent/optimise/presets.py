"""Settings of an optimiser: what all have in common, one preset a class of tasks, and changes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reward_agent.checked import Checked, Count, NotNegative, Share, changed
from reward_agent.errors import unknown_name

DEFAULT = "default"
TASK_CLASSES: Mapping[str, str] = {
    DEFAULT: "nothing is known of the task",
    "locomotion": "get along, by steps without end",
    "acrobatics": "one leap or flip within a second",
    "posture": "take a pose, or move one limb",
    "manipulation": "short reaches and pushes",
    "tabletop": "reach, press, pull or open something on a table, seen as short episodes",
    "dexterity": "grasp, lift and turn things with a hand of many fingers",
    "balance": "keep an unstable thing up",
    "grid": "turn, walk and handle things by numbered actions, in a grid that is seen in part",
    "swim": "thrust that pays off many strokes later",
}
"""What `Task.preset` may name. An optimiser may have presets for other classes as well."""


@dataclass(frozen=True)
class Settings(Checked):
    """What every optimiser has; an optimiser's own settings are a subclass, its defaults of these its own."""

    threads: Count = 1
    """For physics and update. It changes no result."""


@dataclass(frozen=True)
class LearnerSettings(Settings):
    """What every optimiser that learns a policy has beside."""

    num_envs: Count = 64
    discount: Share = 0.99
    normalise_observation: bool = True
    """Scale by the running mean and deviation."""
    normalise_reward: bool = True
    """Divide by the running deviation of the discounted return: programs come in any scale."""
    checkpoint_seconds: NotNegative = 30.0
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
        UsageError: there is no such class or setting, or a value of another type or out of its range.
    """
    if task_class not in {*TASK_CLASSES, *presets}:
        raise unknown_name("preset", task_class, {*TASK_CLASSES, *presets})
    return changed(presets.get(task_class, presets[DEFAULT]).settings, changes)

"""How a task is to be trained on: optimiser, preset and changes to it, checked before anything is made."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

from reward_agent.checked import changed, read
from reward_agent.errors import MissingComponentError, UsageError, unknown_name
from reward_agent.optimise import find_optimiser
from reward_agent.optimise.presets import DEFAULT, Preset, Settings, choose
from reward_agent.plugins import OPTIMISERS
from reward_agent.task import Task


@dataclass(frozen=True)
class Choice:
    """What a training is done with."""

    optimiser: str
    preset: str
    """The task's own unless another was asked for; `default` where the optimiser has none for the task's class."""
    changes: Mapping[str, Any]
    """Of the preset's settings, as they were given."""
    settings: Settings | None
    """All of them; None where the optimiser's module has no `PRESETS` to tell."""

    def __str__(self) -> str:
        changes = ", ".join(f"{name}={_short(value)}" for name, value in self.changes.items())
        return f"{self.optimiser}, preset {self.preset}{f' with {changes}' if changes else ''}"


def choose_training(
    task: Task, optimiser: str, preset: str | None = None, changes: Mapping[str, Any] | None = None
) -> Choice:
    """What `optimiser` would train the task with.

    Args:
        task: its `preset` is taken where none is given.
        optimiser: by name.
        preset: one of the optimiser's, whatever the task's class.
        changes: of its settings.

    Raises:
        UsageError: there is no such optimiser, preset or setting; a value is of another type or out of its range; or
            the optimiser cannot train on the task (`refuses(task)` of its module).
        MissingComponentError: this machine lacks what it needs (`missing()` of its module).
    """
    module, changes = _module(optimiser), dict(changes or {})
    if (lacking := missing(optimiser)) is not None:
        raise MissingComponentError(lacking)
    refuses = getattr(module, "refuses", None)
    if refuses is not None and (why := refuses(task)) is not None:
        raise UsageError(why)
    presets = presets_of(optimiser)
    if preset is not None and preset not in presets:
        others = [name for name in sorted(OPTIMISERS.shipped() - {optimiser}) if preset in presets_of(name)]
        hint = f"It is one of {others[0]}'s: add `--optimiser {others[0]}`." if others else ""
        raise unknown_name(f"preset of {optimiser}", preset, presets, hint=hint)
    if not presets:
        return Choice(optimiser, task.preset, changes, None)
    settings = choose(presets, preset or task.preset, changes)
    named = preset or (task.preset if task.preset in presets else DEFAULT)
    return Choice(optimiser, named, changes, settings)


def with_discount(shaping: Mapping[str, Any], choice: Choice) -> dict[str, Any]:
    """How subgoals pay, where that is by a potential with the discount that the policy is trained with, unless another
    is named: only then is the best policy what it would be without."""
    own = getattr(choice.settings, "discount", None)
    if not shaping.get("potential") or "discount" in shaping or own is None:
        return dict(shaping)
    return {**shaping, "discount": own}


def missing(optimiser: str) -> str | None:
    """What this machine lacks for it and the command that installs it (`missing()` of its module), if anything.

    Raises:
        UsageError: there is no such optimiser.
    """
    ask = getattr(_module(optimiser), "missing", None)
    lacking: str | None = ask() if ask else None
    return lacking


class Usual(NamedTuple):
    """How much of an end a run has where nobody says otherwise."""

    trainings: int = 3
    """Of the best program, from scratch."""
    select_episodes: int = 20
    report_episodes: int = 50
    doing: str = "training"
    """What people are told that it does for its budget of steps."""


def usual(optimiser: str) -> Usual:
    """What an optimiser needs for a score that means something; `USUAL` of its module.

    Raises:
        UsageError: there is no such optimiser.
    """
    found: Usual = getattr(_module(optimiser), "USUAL", Usual())
    return found


def scoring_steps(choice: Choice, task: Task) -> int:
    """Environment steps that are simulated for the policy of one scored episode beside the episode's own.

    0 where the optimiser's module does not tell (`imagined(task, settings)`), as for all that only act.
    """
    imagined = getattr(_module(choice.optimiser), "imagined", None)
    return int(imagined(task, choice.settings)) if imagined else 0


def real_time_factor(choice: Choice, task: Task, steps_per_second: float) -> float | None:
    """Seconds acted a second by an optimiser that simulates `steps_per_second` to act; None for others."""
    steps = scoring_steps(choice, task)
    return steps_per_second * task.horizon * task.world.dt / steps if steps else None


def read_changes(optimiser: str, words: Iterable[str]) -> dict[str, Any]:
    """Changes of an optimiser's settings from texts as `learning_rate=1e-3`.

    Raises:
        UsageError: an unknown optimiser or setting, a text that is no value of its type, or one out of its range.
    """
    words, presets = list(words), presets_of(optimiser)
    if words and not presets:
        raise UsageError(
            f"The optimiser {optimiser} does not say which settings it has (its module has no PRESETS), so that none "
            f"can be set by name. From Python, `settings={{...}}` reaches it as it is."
        )
    if not words:
        return {}
    settings = presets[DEFAULT].settings
    values = read(settings, words)
    changed(settings, values)
    return values


def presets_of(optimiser: str) -> Mapping[str, Preset[Any]]:
    """An optimiser's presets by name; none where its module does not tell.

    Raises:
        UsageError: there is no such optimiser.
    """
    found: Mapping[str, Preset[Any]] = getattr(_module(optimiser), "PRESETS", {})
    return found


def _module(optimiser: str) -> ModuleType:
    """Where the optimiser's function is defined, and what else it says of itself."""
    return importlib.import_module(find_optimiser(optimiser).__module__)


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

"""Whose a preset or a setting is that was named: the planner's, which looks, or the optimiser's, which trains.

It goes to whichever has one of that name, and to both where both have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from reward_agent.chat.settings import PLANNER, ChatSettings, require_trainer
from reward_agent.errors import UsageError, unknown_name
from reward_agent.optimise.choice import presets_of, read_changes
from reward_agent.optimise.presets import DEFAULT
from reward_agent.task import Task


@dataclass(frozen=True)
class Shares:
    """What each gets."""

    settings: ChatSettings
    """With the planner's."""
    preset: str | None
    """The optimiser's."""
    changes: Mapping[str, Any]
    """Of the optimiser's settings."""


def share_out(
    settings: ChatSettings, task: Task, optimiser: str, *, preset: str | None = None, changes: Sequence[str] = ()
) -> Shares:
    """Give a preset's name, and texts as `samples=8`, to whom they mean.

    Args:
        settings: how rewards are looked at; the planner gets nothing where it does not look.
        task: whose rewards.
        optimiser: of `/train`, and of looks by training.
        preset: by name.
        changes: of settings.

    Raises:
        UsageError: neither has a preset or setting of a name, with the closest; or a text is no value of its setting.
    """
    require_trainer(optimiser)
    plans = settings.way(task) == "planner"
    presets = {name: presets_of(name) for name in ([optimiser, PLANNER] if plans else [optimiser])}
    if preset is not None and not any(preset in known for known in presets.values()):
        raise unknown_name(
            f"preset of {' or '.join(presets)}", preset, {each for known in presets.values() for each in known}
        )
    known = {name: _settings(name) for name in presets}
    mine: dict[str, list[str]] = {name: [] for name in presets}
    for text in changes:
        setting = text.partition("=")[0].strip()
        takers = [name for name in presets if setting in known[name]]
        if "=" in text and not takers and all(known.values()):
            raise _unknown(setting, {each for names in known.values() for each in names}, plans=plans)
        for name in takers or [optimiser]:
            mine[name].append(text)
    if plans:
        planner = preset if preset in presets[PLANNER] else None
        settings = replace(settings, preset=planner, planner=read_changes(PLANNER, mine[PLANNER]))
    trainer = preset if preset in presets[optimiser] else None
    return Shares(settings, trainer, read_changes(optimiser, mine[optimiser]))


def _settings(optimiser: str) -> frozenset[str]:
    """Names of an optimiser's settings; none where its module does not tell."""
    presets = presets_of(optimiser)
    return frozenset(field.name for field in fields(presets[DEFAULT].settings)) if presets else frozenset()


def _unknown(setting: str, known: set[str], *, plans: bool) -> UsageError:
    of_planner = not plans and setting in _settings(PLANNER)
    hint = "It is one of the planner's, which looks at rewards with `--look planner`." if of_planner else ""
    return unknown_name("setting", setting, known, hint=hint)

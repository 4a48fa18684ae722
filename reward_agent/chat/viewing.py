"""The browser's view of a session, found when it is asked for: looks are drawn there as they are played."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from reward_agent.errors import MissingComponentError
from reward_agent.task import Task

LIVE = "reward_agent.live"


class View(Protocol):
    """What is needed of `reward_agent.live.LiveView`."""

    @property
    def url(self) -> str: ...

    def watch(self, seen: Any) -> None: ...

    def close(self) -> None: ...


def open_view(task: Task) -> View:
    """A view of the task's world, served on this machine.

    Raises:
        MissingComponentError: this package was installed without it.
    """
    try:
        view: View = import_module(LIVE).LiveView(task)
    except ModuleNotFoundError as error:
        raise MissingComponentError(
            "There is no view in the browser here; `/video FILE` makes a clip of the last look."
        ) from error
    return view

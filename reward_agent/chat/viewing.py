"""The browser's view of a session: looks are drawn there as they are played."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from reward_agent.envs.episodes import Episodes
from reward_agent.errors import MissingComponentError, RewardAgentError
from reward_agent.task import Task

LIVE = "reward_agent.live"


class View:
    """A task's world in a page of the browser, from its beginning until it is closed.

    Raises:
        MissingComponentError: this package was installed without the page.
        UsageError: the world has nothing to show there.
    """

    def __init__(self, task: Task) -> None:
        self._dt, self.caption = task.world.dt, task.instruction
        """What the robot is told."""
        self._failed = False
        try:
            live: Any = import_module(LIVE)
        except ModuleNotFoundError as error:
            raise MissingComponentError(
                "There is no view in the browser here; `/video FILE` makes a clip of the last look."
            ) from error
        episodes: Any = Episodes(task, 1, ())
        try:
            episodes.reset(np.ones(1, bool), np.zeros(1, np.int64))
            self._live: Any = live.LiveView(episodes.posed.model, viewpoint=episodes.posed.viewpoint)
            self.watch(episodes)
        finally:
            episodes.close()

    @property
    def url(self) -> str:
        return str(self._live.url)

    def watch(self, episodes: Any) -> None:
        """Show row 0 as it is now; see `looking.Watch`. A page that fails ends no look."""
        if self._failed:
            return
        try:
            self._live.show(episodes.posed.pose(0), time=float(episodes.elapsed[0]) * self._dt, caption=self.caption)
        except RewardAgentError:
            self._failed = True

    def close(self) -> None:
        self._live.close()

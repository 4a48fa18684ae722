"""The browser's view of a session: looks are drawn there as they are played."""

from __future__ import annotations

import numpy as np

from reward_agent.envs.episodes import Episodes
from reward_agent.errors import RewardAgentError
from reward_agent.task import Task


class View:
    """A task's world in a page of the browser, from its beginning until it is closed.

    Raises:
        MissingComponentError: what draws the page is not installed.
        UsageError: the world has nothing to show there.
    """

    def __init__(self, task: Task) -> None:
        from reward_agent.live import LiveView

        self._dt, self.caption = task.world.dt, task.instruction
        """What the robot is told."""
        self._failed = False
        episodes = Episodes(task, 1, ())
        try:
            episodes.reset(np.ones(1, bool), np.zeros(1, np.int64))
            self.live = LiveView(episodes.posed.model, viewpoint=episodes.posed.viewpoint)
            self.watch(episodes)
        finally:
            episodes.close()

    @property
    def url(self) -> str:
        return self.live.url

    def watch(self, episodes: Episodes, told: str | None = None) -> None:
        """Show row 0 as it is now, and what it is told from now on. A page that fails ends no look."""
        if self._failed:
            return
        self.caption = told or self.caption
        try:
            self.live.show(episodes.posed.pose(0), time=float(episodes.elapsed[0]) * self._dt, caption=self.caption)
        except RewardAgentError:
            self._failed = True

    def close(self) -> None:
        self.live.close()

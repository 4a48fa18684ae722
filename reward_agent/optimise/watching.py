"""Screens of a few rows around their steps, for a source that wants to be shown some (`sources.WatchingSource`)."""

from __future__ import annotations

import numpy as np

from reward_agent.envs.episodes import Episodes
from reward_agent.sources import Sighting, WatchingSource
from reward_agent.task import Bools, Screen

STRETCH = 128
"""Steps for which the same rows are looked at: a step then costs one screen a row, for the last one is still there."""


class Watching:
    """Looks at as many rows as the source wants, at others after a while.

    Args:
        episodes: of a world of characters.
        source: is shown what was seen.
    """

    def __init__(self, episodes: Episodes, source: WatchingSource) -> None:
        self._episodes, self._source = episodes, source
        self._first = self._looked = self._steps = 0
        self._screens: dict[int, Screen] = {}
        self._seen: list[Sighting] = []
        self._choose()

    def before(self) -> None:
        """A step is to come."""
        for row in self._rows:
            if row not in self._screens:
                self._screens[row] = self._episodes.screen(row)

    def after(self, ended: Bools) -> None:
        """It was made, and nothing was reset yet."""
        for row in self._rows:
            now = self._episodes.screen(row)
            self._seen.append(Sighting(self._steps, row, self._screens[row], now))
            self._screens[row] = now
            if ended[row]:
                del self._screens[row]
        self._steps += 1

    def show(self) -> None:
        """To the source, before it is asked for the rewards of these steps."""
        self._source.watch(self._seen)
        self._looked += self._steps
        self._seen, self._steps = [], 0
        if self._looked >= STRETCH:
            self._looked = 0
            self._first += len(self._rows)
            self._screens.clear()
            self._choose()

    def forget(self) -> None:
        """Other episodes run now."""
        self._screens.clear()
        self._seen, self._steps = [], 0

    def _choose(self) -> None:
        rows = self._episodes.num_envs
        self._rows = ((self._first + np.arange(min(self._source.watched, rows))) % rows).tolist()

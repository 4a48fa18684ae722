"""How fast simulated time passes beside the clock's."""

from __future__ import annotations

from collections import deque

SPAN = 2.0
"""Seconds that the factor is taken over."""
LEAST = 0.25
"""Seconds below which there is none."""


class Pace:
    """The real-time factor of a simulation: 1 where a second of it takes a second, 0.5 where it takes two."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def add(self, clock: float, time: float) -> None:
        """The simulation was at `time` (s) when the clock was at `clock` (s). Time that goes back begins anew."""
        if self._seen and time < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((clock, time))
        while clock - self._seen[0][0] > SPAN:
            self._seen.popleft()

    @property
    def factor(self) -> float | None:
        """Over the last two seconds; None until there is enough to tell."""
        if not self._seen:
            return None
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - began) if now - began >= LEAST else None

"""Somebody who listens to a reply and keeps what they hear."""

from __future__ import annotations

from collections.abc import Callable


class Listener:
    """Keeps every piece by which start of the reply it belongs to; `then` is called after each."""

    def __init__(self, then: Callable[[str], None] = lambda text: None) -> None:
        self.starts: list[list[str]] = [[]]
        self.awaited: list[str] = []
        self._then = then

    @property
    def text(self) -> str:
        """What counts."""
        return "".join(self.starts[-1])

    @property
    def everything(self) -> str:
        """What was heard, void or not."""
        return "".join(piece for start in self.starts for piece in start)

    def piece(self, text: str) -> None:
        assert text
        self.starts[-1].append(text)
        self._then(text)

    def again(self) -> None:
        self.starts.append([])

    def waits(self, text: str) -> None:
        self.awaited.append(text)

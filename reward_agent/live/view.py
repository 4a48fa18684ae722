"""The live view: a simulation hands poses over and goes on; a thread of the view's own draws the latest."""

from __future__ import annotations

import time as clocks
from threading import Condition, Thread
from typing import Any, Self

import numpy as np

from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.live.components import require
from reward_agent.live.pace import Pace
from reward_agent.live.page import Frame, Page
from reward_agent.live.server import HOST, serve, stop
from reward_agent.schema import Array
from reward_agent.task import Viewpoint

PERIOD = 1 / 30
"""Least seconds between two pictures."""
UNSEEN = 1 / 2
"""The same while no page is open."""
TELL = 1 / 4
"""Least seconds between two readings of the time, so that they can be read."""


class LiveView:
    """A MuJoCo simulation in a page of the browser, on this machine alone.

        with LiveView(model) as view:
            print(view.url)
            while ...:
                view.show(qpos, time=seconds, caption="sit down")

    Poses may come from any thread, faster than they can be drawn: those in between are dropped, the last one stays.

    Args:
        model: a `mujoco.MjModel`; it is copied.
        port: of 127.0.0.1; a free one unless given.
        viewpoint: where to look from at first, as `task.Posed` tells; the user turns the scene by hand.

    Raises:
        MissingComponentError: viser or mjviser is not installed.
        UsageError: the port is taken.
    """

    def __init__(self, model: Any, *, port: int | None = None, viewpoint: Viewpoint | None = None) -> None:
        require()
        self._server = serve(port)
        try:
            self._page = Page(self._server, model, viewpoint)
        except BaseException:
            stop(self._server)
            raise
        self._shapes = (model.nq,), ((model.nmocap, 3), (model.nmocap, 4))
        self._changed = Condition()
        self._next: Frame | None = None
        self._busy, self._open, self._failure = False, True, ""
        self.drawn = 0
        """Pictures that the page was given."""
        self.dropped = 0
        """Poses that another one came after before they could be drawn."""
        self.shown: float | None = None
        """Simulated time of the last picture, s; None before the first."""
        self._thread = Thread(target=self._draw, name="live view", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        return f"http://{HOST}:{self._server.get_port()}"

    def show(self, qpos: Array, *, time: float, caption: str = "", mocap: tuple[Array, Array] | None = None) -> None:
        """Show a pose as soon as the page can; returns at once. After `close` it does nothing.

        Args:
            qpos: `(nq,)`; the caller may write over it afterwards. One that is not finite is left out.
            time: of the simulation, s; where it goes back, another episode has begun.
            caption: what the robot is told.
            mocap: positions `(nmocap, 3)`, m, and orientations `(nmocap, 4)` of mocap bodies; unless given, they
                stay where they were.

        Raises:
            UsageError: an array has not the model's shape.
            RewardAgentError: the view failed, and shows nothing any more.
        """
        if self._failure:
            raise RewardAgentError(f"The live view failed ({self._failure}); go on without it, or open another one.")
        frame = Frame(np.array(qpos, np.float64), _copied(mocap), time, caption, clocks.monotonic())
        if frame.qpos.shape != self._shapes[0] or (
            frame.mocap is not None and tuple(part.shape for part in frame.mocap) != self._shapes[1]
        ):
            raise UsageError(
                f"A pose of the model shown has qpos {self._shapes[0]} and mocap {self._shapes[1]}, and another shape "
                "was given: show the simulation whose model the view was made with."
            )
        if not np.isfinite(frame.qpos).all():
            return
        with self._changed:
            if not self._open:
                return
            self.dropped += self._next is not None
            self._next = frame
            self._changed.notify_all()

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until the last pose has been drawn; whether it was within `timeout` seconds."""
        with self._changed:
            idle = self._changed.wait_for(lambda: self._next is None and not self._busy, timeout)
        return idle and not self._failure

    def close(self) -> None:
        """End the page and free its port; more than once does no harm."""
        with self._changed:
            was, self._open = self._open, False
            self._changed.notify_all()
        if was:
            self._thread.join()
            stop(self._server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _draw(self) -> None:
        """The thread."""
        try:
            self._follow()
        except Exception as error:
            with self._changed:
                self._failure, self._busy, self._next = f"{type(error).__name__}: {error}", False, None
                self._changed.notify_all()

    def _follow(self) -> None:
        pace, told, caption = Pace(), -TELL, ""
        last: Frame | None = None
        """Drawn, but its caption and time not told."""
        while self._open:
            with self._changed:
                patience = TELL if last else None
                self._changed.wait_for(lambda: self._next is not None or not self._open, patience)
                frame, self._next = self._next, None
                self._busy = frame is not None
            began = clocks.monotonic()
            if frame is not None:
                self._page.draw(frame)
                pace.add(frame.clock, frame.time)
            untold = frame or last
            if untold and (frame is None or began - told >= TELL or frame.caption != caption):
                self._page.tell(untold.caption, untold.time, pace.factor)
                told, caption, untold = began, untold.caption, None
            last = untold
            if frame is not None:
                self._rest(frame, began)

    def _rest(self, frame: Frame, began: float) -> None:
        seen = bool(self._server.get_clients())
        with self._changed:
            self.drawn, self.shown, self._busy = self.drawn + 1, frame.time, False
            self._changed.notify_all()
            rest = (PERIOD if seen else UNSEEN) - (clocks.monotonic() - began)
            self._changed.wait_for(lambda: not self._open, max(rest, 0.0))


def _copied(mocap: tuple[Array, Array] | None) -> tuple[Array, Array] | None:
    return None if mocap is None else (np.array(mocap[0], np.float64), np.array(mocap[1], np.float64))

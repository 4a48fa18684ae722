"""`kill` as Ctrl-C: what a batch system sends before it ends a job saves what is under way, and ends the command."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reward_agent.errors import Terminated


@contextmanager
def kill_as_ctrl_c() -> Iterator[None]:
    """Within, SIGTERM raises `Terminated`, once: `timeout` and others send it twice, and saving takes a moment.

    Where it was ignored when this process began, it stays so, as Ctrl-C does in the background of a script.
    """
    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated

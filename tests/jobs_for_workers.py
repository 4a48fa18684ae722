"""Jobs that the tests of the pool send to its workers; a module of its own, so that workers can import it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from reward_agent.errors import MissingComponentError
from reward_agent.program import Fault
from reward_agent.sources import SourceFaultError

Progress = Callable[[object], None]
Stop = Callable[[], bool]


def square(number: int, progress: Progress, stop: Stop) -> tuple[int, int]:
    progress(f"squaring {number}")
    return number**2, os.getpid()


def signals(argument: object, progress: Progress, stop: Stop) -> tuple[bool, bool]:
    """Whether Ctrl-C and SIGTERM are ignored here, and whether none is blocked, as those that start here inherit it."""
    ignored = all(signal.getsignal(number) is signal.SIG_IGN for number in (signal.SIGINT, signal.SIGTERM))
    return ignored, not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def wait_for(other: Path, progress: Progress, stop: Stop) -> bool:
    """True once the other job of the pair has run beside this one."""
    mine, theirs = other
    mine.touch()
    deadline = time.monotonic() + 20
    while not theirs.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return theirs.exists()


def lacking(argument: str, progress: Progress, stop: Stop) -> None:
    raise MissingComponentError(argument)


def at_fault(argument: str, progress: Progress, stop: Stop) -> None:
    raise SourceFaultError(Fault("optimise", argument))


def die(argument: str, progress: Progress, stop: Stop) -> None:
    print(argument, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def stumble(argument: str, progress: Progress, stop: Stop) -> None:
    raise ZeroDivisionError(argument)


def save_when_told(path: Path, progress: Progress, stop: Stop) -> None:
    progress(os.getpid())
    while not stop():
        time.sleep(0.01)
    path.write_text("saved")


def deaf(argument: object, progress: Progress, stop: Stop) -> None:
    progress(os.getpid())
    time.sleep(600)


def talk(argument: object, progress: Progress, stop: Stop) -> None:
    """Never done, and never silent."""
    while True:
        progress(os.getpid())


def pause(seconds: float, progress: Progress, stop: Stop) -> None:
    time.sleep(seconds)

"""The journal of a run: one line of JSON a finished step, durable before the next step reads it.

A line is `{"iteration", "candidate", "attempt", "stage", "value", "time"}`. A step is known by its key alone, so
that a resumed run finds it whatever order parallel steps ended in. A process killed while writing leaves at most
a torn last line, which is dropped when the journal is opened to write.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reward_agent.codec import to_line
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.messages import Key

LOOK_SECONDS = 0.2
"""That a writer waits for whoever holds the lock: a look at it (`is_written`) is shorter by far."""


class RunBusyError(RewardAgentError):
    """Another process is writing this run."""


def read_journal(path: Path) -> dict[Key, Any]:
    """Values of the finished steps by key, in the order they were written. Takes no lock.

    Raises:
        UsageError: a line other than the last is damaged.
    """
    return _parse(path, path.read_bytes() if path.exists() else b"")[0]


def is_written(path: Path) -> bool:
    """Whether a process has the journal open to write."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


class Journal:
    """The one writer of a journal; holds its lock until closed.

    Raises:
        RunBusyError: another process has it open.
        UsageError: a line other than the last is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        try:
            self._lock()
        except BlockingIOError as error:
            self._file.close()
            raise RunBusyError(
                f"{path.parent} is being written by another process. Wait for it to end, or stop it."
            ) from error
        self._values, whole = _parse(path, path.read_bytes())
        os.ftruncate(self._file.fileno(), whole)

    def _lock(self) -> None:
        ends = time.monotonic() + LOOK_SECONDS
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise
                time.sleep(0.01)

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __getitem__(self, key: Key) -> Any:
        return self._values[key]

    @property
    def values(self) -> dict[Key, Any]:
        """Every step's value by key."""
        return dict(self._values)

    def write(self, key: Key, value: Any) -> None:
        """Append a finished step; on the disk when this returns."""
        line = key._asdict() | {"value": value, "time": datetime.now(UTC).isoformat(timespec="seconds")}
        self._file.write(to_line(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._values[key] = value

    def close(self) -> None:
        """Give the lock back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _parse(path: Path, content: bytes) -> tuple[dict[Key, Any], int]:
    """Values by key, and the length of the part that holds whole lines."""
    values: dict[Key, Any] = {}
    whole = 0
    lines = content.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        try:
            step = json.loads(line)
            key = Key(step["iteration"], step["candidate"], step["attempt"], step["stage"])
            value = step["value"]
            if not line.endswith(b"\n"):
                raise ValueError("no end of line")
        except (ValueError, KeyError, TypeError) as error:
            if number < len(lines):
                raise UsageError(
                    f"{path}, line {number}, is damaged ({error}); only the last line may be torn. "
                    f"Restore it from a copy, or keep its first {number - 1} lines and resume from there."
                ) from error
            break
        values[key] = value
        whole += len(line)
    return values, whole

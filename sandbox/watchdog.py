"""The trusted side's eye on a cell: drains what it prints, kills it when it takes too much memory or prints a flood."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from pathlib import Path

_PERIOD = 0.1
_KEPT = 64 << 10


class Watchdog(threading.Thread):
    """A daemon thread for one cell; ends when the cell does."""

    def __init__(self, process: subprocess.Popen[bytes], *, resident_bytes: int, printed_bytes: int) -> None:
        super().__init__(name=f"cell-{process.pid}", daemon=True)
        self._process = process
        self._resident_bytes, self._printed_bytes = resident_bytes, printed_bytes
        self._kept = bytearray()
        self._printed = 0
        self._next_look = 0.0
        self.worker: int | None = None
        """Process number of the worker itself, below bubblewrap's; None while unknown."""
        self.cpu_seconds = 0.0
        """CPU time of the worker, at most 0.1 s old."""
        self.reason: str | None = None
        """Why the cell was killed, when it was killed here."""

    @property
    def text(self) -> str:
        """What the cell printed, as far as it was kept."""
        return bytes(self._kept).decode("utf-8", "replace")

    def run(self) -> None:
        streams = [stream for stream in (self._process.stdout, self._process.stderr) if stream is not None]
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as closing:
            for stream in streams:
                closing.callback(stream.close)
                selector.register(stream, selectors.EVENT_READ)
            while True:
                ended = self._process.poll() is not None
                ready = selector.select(0 if ended else _PERIOD) if selector.get_map() else []
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        selector.unregister(key.fileobj)
                    self._take(data)
                if ended and not ready:
                    return
                if not selector.get_map():
                    time.sleep(_PERIOD)  # a program may close what it prints to, and is watched all the same
                if time.monotonic() >= self._next_look:
                    self._next_look = time.monotonic() + _PERIOD
                    self.look()

    def find_worker(self) -> None:
        """Note which process the worker is: the last of the line that starts with the one we started."""
        number = self._process.pid
        with contextlib.suppress(OSError, ValueError):
            while children := Path(f"/proc/{number}/task/{number}/children").read_text().split():
                number = int(children[-1])
            self.worker = number if _resident(number) else None

    def look(self) -> None:
        """Measure the worker once; kill it when it is too large."""
        if self.worker is None:
            return
        try:
            self.cpu_seconds = _cpu_seconds(self.worker)
            resident = _resident(self.worker)
        except (OSError, ValueError, IndexError):
            return  # it has just ended
        if resident > self._resident_bytes:
            self.kill(f"took {resident >> 20} MiB of memory; the limit is {self._resident_bytes >> 20} MiB")

    def kill(self, reason: str) -> None:
        """End the cell, at once and whatever it does. The first reason stays."""
        if self.reason is None:
            self.reason = reason
        kill(self._process, self.worker)

    def _take(self, data: bytes) -> None:
        self._printed += len(data)
        self._kept += data[: max(_KEPT - len(self._kept), 0)]
        if self._printed > self._printed_bytes:
            self.kill(f"printed more than {self._printed_bytes >> 20} MiB")


def kill(process: subprocess.Popen[bytes], worker: int | None) -> None:
    """Kill the worker and all that was started with it."""
    if process.poll() is None:
        # the process leads a session of its own; bubblewrap's end takes its whole process namespace with it
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if worker is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(worker, signal.SIGKILL)


def _resident(number: int) -> int:
    return int(Path(f"/proc/{number}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _cpu_seconds(number: int) -> float:
    # the command's name, in parentheses, may hold anything
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

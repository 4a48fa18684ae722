"""Our end of the worker: starts the interpreter that has Isaac Gym, asks, and tells plainly when it is gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.isaac import server
from reward_agent.errors import RewardAgentError

_OURS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONSAFEPATH", "VIRTUAL_ENV")
"""Variables that are about our interpreter, not the worker's."""
_TAIL = 2000  # characters of the worker's last words that an error carries


class Worker:
    """A process that holds a `VecTask`. It ends when this one does, however that goes.

    It runs in a session of its own, so that Ctrl-C reaches this process alone, and in an empty folder, where tasks may
    write. Its file `memory` is shared: both ends map it once its size is known.

    Raises:
        RewardAgentError: the interpreter does not start.
    """

    def __init__(self, python: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="reward-agent-isaac-")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self.memory = os.memfd_create("reward-agent-isaac")
        self._ours, theirs = socket.socketpair()
        environment = {name: value for name, value in os.environ.items() if name not in _OURS}
        script = str(Path(server.__file__).resolve())
        try:
            self._process = subprocess.Popen(
                [located(python), "-u", script, str(theirs.fileno()), str(self.memory)],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(), self.memory),
                cwd=self._folder.name,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self._process = None  # type: ignore[assignment]
            self.close()
            raise RewardAgentError(f"Isaac Gym's interpreter {python} does not start: {error}.") from error
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(
        self, do: str, timeout: float, *, arrays: server.Arrays | None = None, **request: Any
    ) -> tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]:
        """Send one request and wait for its answer: what it says, and its arrays.

        Raises:
            RewardAgentError: the task failed, the worker is gone, or it took longer than `timeout` seconds.
        """
        if self._ours.fileno() < 0:
            raise RewardAgentError("This batch of Isaac Gym environments is closed; make another.")
        self._ours.settimeout(timeout)
        try:
            server.send(self._ours, {"do": do, **request}, arrays)
            answer, found = server.receive(self._ours)
        except TimeoutError as error:
            words = self._end()
            raise RewardAgentError(
                f"Isaac Gym's worker did not answer to {do!r} within {timeout:g} s and was ended. Where that is too "
                f"short, raise `{'start_timeout' if do == 'build' else 'step_timeout'}` of the world.{words}"
            ) from error
        except (EOFError, OSError) as error:
            words = self._end()
            raise RewardAgentError(f"Isaac Gym's worker {self._ending()} while it did {do!r}.{words}") from error
        except BaseException:
            self._end()  # what it answers to this would be taken for the answer to the next
            raise
        if "failed" in answer:
            raise RewardAgentError(f"Isaac Gym's worker failed to {do}:\n{answer['failed'].strip()}{self._words()}")
        return answer, found

    def close(self) -> None:
        """End the worker; it may be called again."""
        if self._ours.fileno() < 0:
            return
        self._ours.close()
        if self._process is not None:
            try:
                self._process.wait(5.0)
            except subprocess.TimeoutExpired:
                self._kill()
        os.close(self.memory)
        self._said.close()
        self._folder.cleanup()

    def _end(self) -> str:
        """Kill what is left of it and close; its last words."""
        try:
            self._process.wait(1.0)  # one that is ending has a status of its own to tell
        except subprocess.TimeoutExpired:
            self._kill()
        words = self._words()
        self.close()
        return words

    def _kill(self) -> None:
        """The whole session: a task may have started processes of its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _ending(self) -> str:
        code = self._process.returncode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def _words(self) -> str:
        """The end of what it printed; its position in the file is shared, so it is read without moving that."""
        file = self._said.fileno()
        size = os.fstat(file).st_size
        text = os.pread(file, _TAIL, max(0, size - _TAIL)).decode(errors="replace")
        kept = "".join(c for c in text if c == "\n" or c.isprintable()).strip()
        return f"\nIts last words:\n{kept}" if kept else ""


def mapped(memory: int, rows: int, widths: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Give the shared file its size and map it: one table `(rows, width)` for each width."""
    import mmap

    size = 8 * rows * sum(widths)
    os.ftruncate(memory, size)
    return server.tables(mmap.mmap(memory, size), rows, widths)


def located(python: str) -> str:
    """Where an interpreter is, from any folder; links are kept, for a virtual environment is known by its own."""
    return str(Path(shutil.which(python) or python).absolute())


def has_modules(python: str, modules: tuple[str, ...], paths: tuple[str, ...] = ()) -> list[str]:
    """Those of the modules that an interpreter does not find; `OSError` where it does not run. None is imported."""
    code = (
        f"import sys, importlib.util as u; sys.path[:0] = {list(paths)!r}; "
        f"print(*[m for m in {list(modules)!r} if u.find_spec(m) is None])"
    )
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    done = subprocess.run([located(python), "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}")
    return done.stdout.split()

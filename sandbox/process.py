"""The process of a cell as its parent holds it: started, asked by fixed records, killed when it lies or lingers."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
import weakref
from pathlib import Path
from typing import NamedTuple, NoReturn

from reward_agent.errors import MissingComponentError
from reward_agent.sandbox import launch, protocol
from reward_agent.sandbox.launch import Layers
from reward_agent.sandbox.limits import Limits
from reward_agent.sandbox.memory import share
from reward_agent.sandbox.text import clean
from reward_agent.sandbox.watchdog import Watchdog, kill

_START_SECONDS = 60.0
_SLICE_SECONDS = 0.05
_SLACK_SECONDS = 0.2
"""The CPU time before a call is known to 0.1 s, as is the clock of the kernel's statistics to some hundredths."""


class Reply(NamedTuple):
    status: int
    size: int
    """Terms of a call, or bytes of text."""
    line: int


class CellDiedError(Exception):
    """The process has ended or was killed; the text says why. Never leaves this package."""


class CellProcess:
    """A started and locked process, with the shared memories and pipes that lead to it.

    Raises:
        MissingComponentError: a layer did not take, or the process could not be started.
    """

    def __init__(self, layers: Layers, limits: Limits) -> None:
        self._limits = limits
        self._sequence = 0
        self._reason: str | None = None
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            try:
                inputs, self.inputs = share(limits.input_bytes, writeable=False, sealed=layers.sealed)
                theirs.callback(os.close, inputs)
                outputs, self.outputs = share(limits.output_bytes, writeable=True, sealed=layers.sealed)
                theirs.callback(os.close, outputs)
            except OSError as error:
                raise MissingComponentError(f"Shared memory cannot be sealed ({error}); it takes Linux 5.1.") from error
            requests, self._requests = os.pipe()
            self._replies, replies = os.pipe()
            for stack, descriptor in (
                (theirs, requests),
                (theirs, replies),
                (ours, self._requests),
                (ours, self._replies),
            ):
                stack.callback(os.close, descriptor)
            start = launch.prepare(layers, limits, (requests, replies, inputs, outputs))
            self._process = subprocess.Popen(
                start.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=start.environment,
                cwd="/",
                pass_fds=(requests, replies, inputs, outputs),
                start_new_session=True,
            )
            self._watchdog = Watchdog(
                self._process, resident_bytes=limits.resident_bytes, printed_bytes=limits.printed_bytes
            )
            # from here on the process ends with this object, whoever forgets to close it
            self._end = weakref.finalize(self, _finish, self._process, self._watchdog, ours.pop_all())
        self._watchdog.start()
        self._poll = select.poll()
        self._poll.register(self._replies, select.POLLIN)
        self.landlock = self._shake_hands(start)
        """Landlock version in force; 0 for none."""

    @property
    def alive(self) -> bool:
        return self._reason is None and self._process.poll() is None

    @property
    def watched(self) -> bool:
        """Memory and CPU time can be measured from outside."""
        return self._watchdog.worker is not None

    @property
    def worker(self) -> int | None:
        """Process number of the worker, as this side counts; None when it cannot be seen."""
        return self._watchdog.worker

    @property
    def printed(self) -> str:
        return self._watchdog.text

    def ask(self, kind: int, count: int, cpu_seconds: float) -> Reply:
        """Send one request and wait for its reply, for as long as `cpu_seconds` of the worker's time take.

        Raises:
            CellDiedError: no valid reply came; the process is dead.
        """
        if self._reason is not None:
            raise CellDiedError(self._reason)
        self._sequence += 1
        cpu_before = self._watchdog.cpu_seconds
        try:
            os.write(self._requests, protocol.REQUEST.pack(self._sequence, kind, count))
            if not self._poll.poll(cpu_seconds * 1000):
                self._wait_longer(cpu_seconds, cpu_before)
            data = os.read(self._replies, 2 * protocol.REPLY.size)
        except BrokenPipeError:
            data = b""
        except CellDiedError:
            raise
        except BaseException:
            # interrupted (Ctrl-C): the reply still to come must not meet a later request
            self.kill("it was interrupted")
            raise
        if not data:
            self._say_end()
        if len(data) != protocol.REPLY.size:
            self._give_up("its reply is no valid record")
        sequence, status, number, line = protocol.REPLY.unpack(data)
        if sequence != self._sequence or status not in (protocol.OK, protocol.FAULT):
            self._give_up("its reply is not to the request that was sent")
        return Reply(status, number, line)

    def close(self) -> None:
        """End the process and give back what it held. May be called twice."""
        self._reason = self._reason or "it was closed"
        self._end()

    def kill(self, reason: str) -> None:
        """End the process; every later request is answered with the (first) reason."""
        self._reason = self._reason or reason
        self._watchdog.kill(reason)

    def _wait_longer(self, cpu_seconds: float, cpu_before: float) -> None:
        """By the clock the call is late; it may go on while it has not had its CPU time, as on a busy machine."""
        end = time.monotonic() + cpu_seconds * (self._limits.patience - 1)
        while not self._poll.poll(_SLICE_SECONDS * 1000):
            self._watchdog.look()
            if self._watchdog.cpu_seconds - cpu_before > cpu_seconds + _SLACK_SECONDS:
                self._give_up(f"it used more than its {cpu_seconds:.3g} s of CPU time")
            if time.monotonic() > end:
                self._give_up(f"it did not answer within {cpu_seconds * self._limits.patience:.3g} s")

    def _give_up(self, reason: str) -> NoReturn:
        self.kill(reason)
        raise CellDiedError(self._reason)

    def _say_end(self) -> NoReturn:
        """The worker hung up: find out why."""
        try:
            code = self._process.wait(_SLICE_SECONDS * 20)
        except subprocess.TimeoutExpired:
            self._give_up("it closed the pipe of its replies")
        self._give_up(self._watchdog.reason or _how_it_ended(code))

    def _shake_hands(self, start: launch.Launch) -> int:
        """Wait for the bootstrap, configure it, wait for the worker. Returns the Landlock version in force."""
        self._expect(protocol.HELLO)
        self._watchdog.find_worker()
        if self.worker is not None:
            # when memory runs out, this process shall be the one to go; a refusal is no harm
            with contextlib.suppress(OSError):
                Path(f"/proc/{self.worker}/oom_score_adj").write_text("1000")
        config = json.dumps(start.config).encode()
        with contextlib.suppress(BrokenPipeError):
            os.write(self._requests, protocol.LENGTH.pack(len(config)) + config)
        return self._expect(protocol.READY).size

    def _expect(self, status: int) -> Reply:
        data = os.read(self._replies, protocol.REPLY.size) if self._poll.poll(_START_SECONDS * 1000) else b""
        if len(data) == protocol.REPLY.size:
            sequence, given, count, line = protocol.REPLY.unpack(data)
            if (sequence, given) == (0, status):
                return Reply(given, count, line)
        self.kill("it did not start")
        self._watchdog.join(1.0)
        said = clean(self.printed, 600).strip().splitlines() or ["it said nothing"]
        self.close()
        raise MissingComponentError(
            f"The locked process for reward programs did not start: {said[-1]}. `reward-agent doctor` tells which "
            "layers work on this machine; --unsafe runs programs unprotected."
        )


def _how_it_ended(code: int) -> str:
    # bubblewrap passes a signal on as 128 + its number
    number = -code if code < 0 else code - 128
    if number <= 0:
        return f"it ended its process (exit code {code})"
    try:
        return f"it crashed its process ({signal.Signals(number).name})"
    except ValueError:
        return f"it ended its process (exit code {code})"


def _finish(process: subprocess.Popen[bytes], watchdog: Watchdog, descriptors: contextlib.ExitStack) -> None:
    kill(process, watchdog.worker)
    descriptors.close()
    process.wait()
    if watchdog.is_alive() and watchdog is not threading.current_thread():
        watchdog.join(1.0)

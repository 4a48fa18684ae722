"""A look through the planner: it plays the reward at once, in this process, and stops at a Ctrl-C with what it has."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from reward_agent.chat.looking import Look, Watch
from reward_agent.errors import MissingComponentError
from reward_agent.program import Fault, Program
from reward_agent.schema import Array
from reward_agent.sources import SourceFaultError
from reward_agent.task import Task

PLANNING = "reward_agent.planning"


@dataclass(frozen=True)
class PlannerLooker:
    """Plays one episode under `reward_agent.planning.perform`."""

    seed: int
    """Of the episode."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the planner, what to change of its own."""
    unsafe: bool = False

    def look(
        self,
        task: Task,
        program: Program,
        *,
        seconds: float,
        start: Mapping[str, Array] | None,
        watch: Watch,
        stop: Callable[[], bool],
    ) -> Look | Fault:
        """See `Looker`."""
        from reward_agent.sources.cell import CellSource

        perform = _perform()
        try:
            with told_to_stop() as told:
                with _not_theirs():
                    source = CellSource(program, task, unsafe=self.unsafe)
                try:
                    played = perform(
                        task,
                        source,
                        self.settings,
                        self.seed,
                        seconds=seconds,
                        start=start,
                        watch=watch,
                        stop=lambda: told() or stop(),
                    )
                finally:
                    source.close()
        except SourceFaultError as error:
            return error.fault
        return Look(
            terms={name: tuple(map(float, values)) for name, values in played.terms.items()},
            total=tuple(map(float, played.total)),
            metrics=dict(played.metrics),
            seconds=float(played.seconds),
            real_time_factor=float(played.real_time_factor),
            end=played.end,
            actions=getattr(played, "actions", None),
        )


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Within, a first Ctrl-C only makes the function given true; a second one is a `KeyboardInterrupt`."""
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told.is_set
        return

    def hear(number: int, frame: object) -> None:
        if told.is_set():
            raise KeyboardInterrupt
        told.set()

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield told.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _not_theirs() -> Iterator[None]:
    """Processes started within hear no Ctrl-C: the terminal sends it to all, and a cell that died would be blamed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _perform() -> Any:
    """Raises `MissingComponentError` where this package was installed without its planner."""
    try:
        return import_module(PLANNING).perform
    except ModuleNotFoundError as error:
        raise MissingComponentError(
            "There is no planner here to look at a reward with. Look by a short training instead (`--look training`), "
            "or not at all (`--look none`)."
        ) from error

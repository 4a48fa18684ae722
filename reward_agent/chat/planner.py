"""A look through the planner: it plays the reward at once, in this process, and stops at a Ctrl-C with what it has."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reward_agent.chat.looking import Look
from reward_agent.envs.episodes import task_schema
from reward_agent.program import Fault, Program
from reward_agent.schema import Array
from reward_agent.sources import SourceFaultError
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.planning.performance import Performance, Performing, Watch


@dataclass(frozen=True)
class PlannerLooker:
    """Plays one episode by planning on the program."""

    seed: int
    """Of the episode and of the planner."""
    seconds: float
    """Of simulated time to play at most."""
    preset: str | None = None
    """Of the planner's settings; the task's own unless given."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What to change of the preset's."""
    start: Mapping[str, Array] | None = None
    """The `end` of an earlier look, where a new episode begins; None begins it with a reset."""
    carry_on: bool = False
    """Give an `end` that another look, at another program, can start from."""
    watch: Watch | None = None
    """Is told after each step, as a view in a browser draws it."""
    unsafe: bool = False

    def look(self, task: Task, program: Program) -> Look | Fault:
        """See `Looker`; a first Ctrl-C ends it with what was played until then."""
        from reward_agent.optimise.mpc import PRESETS
        from reward_agent.optimise.presets import choose
        from reward_agent.planning.performance import Performing
        from reward_agent.sources.cell import CellSource

        chosen = choose(PRESETS, self.preset or task.preset, self.settings)
        fields = {path for metric in task.metrics for path in metric.fields}
        if self.carry_on:
            fields |= task_schema(task).by_path.keys()  # as the next program may read any
        try:
            with told_to_stop() as told:
                source = CellSource(program, task, unsafe=self.unsafe)
                try:
                    with Performing(task, source, chosen, self.seed, fields=fields) as performing:
                        performing.begin(self.seed, self.start)
                        steps = max(1, round(self.seconds / task.world.dt))
                        played = performing.go_on(steps, watch=self.watch, stop=told)
                        return self._told(task, performing, played, source.term_names)
                finally:
                    source.close()
        except SourceFaultError as error:
            return error.fault

    def _told(self, task: Task, performing: Performing, played: Performance, names: tuple[str, ...]) -> Look:
        cut_short = not performing.ended
        judged = () if cut_short else task.metrics
        episode = performing.episode(played)
        return Look(
            terms={name: tuple(map(float, played.terms[:, at])) for at, name in enumerate(names)},
            total=tuple(map(float, played.total)),
            metrics={metric.name: float(metric.score(episode)) for metric in judged},
            seconds=played.seconds,
            real_time_factor=played.real_time_factor,
            start=self.start,
            end=performing.episodes.save() if self.carry_on and not performing.over else None,
            over=performing.over,
            cut_short=cut_short,
            actions=played.actions,
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

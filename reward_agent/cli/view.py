"""A run as it happens: a live table on a terminal, plain lines elsewhere. Both are made from its events alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from reward_agent.cli.board import Board, Row, cost, count, duration, interval, number
from reward_agent.events import (
    Accepted,
    Asked,
    Best,
    Described,
    Evaluated,
    Event,
    Faulted,
    Judged,
    Noted,
    Replied,
    Scoring,
    Spoke,
    Started,
    TrainingProgress,
    TrainingStarted,
    Unanswered,
)
from reward_agent.history import Judgement, Outcome
from reward_agent.program import Fault
from reward_agent.variant import SPOKEN

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EVERY = 10.0
"""Seconds between two plain lines on the same training."""


Tell = Callable[[Event], str]
"""An event in words; empty where nothing need be said."""


class View(Protocol):
    """Follows a run."""

    def __call__(self, event: Event) -> None: ...

    def aside(self) -> AbstractContextManager[None]:
        """While this lasts the terminal is somebody else's, as a person's who is asked for words."""
        ...


class Lines:
    """Words on each event as they come; on one training, and on its score, at most every `EVERY` seconds."""

    def __init__(self, write: Callable[[str], None], tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._tell, self._clock = write, tell, clock
        self._next: dict[object, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, TrainingProgress | Scoring):
            what = type(event), event.trial
            if self._clock() < self._next.get(what, -math.inf):
                return
            self._next[what] = self._clock() + EVERY
        text = self._tell(event)
        if text:
            self._write(text)

    def aside(self) -> AbstractContextManager[None]:
        return nullcontext()


class Live:
    """A table that is drawn over and over, with what happened scrolling by above it."""

    def __init__(self, console: Console, board: Board, tell: Tell) -> None:
        from rich.live import Live as RichLive

        self._console, self._board, self._tell = console, board, tell
        self._live = RichLive(console=console, refresh_per_second=4, get_renderable=lambda: table(board))

    def __call__(self, event: Event) -> None:
        self._board.take(event)
        text = "" if isinstance(event, TrainingProgress | Scoring) else self._tell(event)
        if text:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def aside(self) -> Iterator[None]:
        # the table gives way: drawn anew for every line that is asked for, it would push what is asked out of sight
        self._live.transient = True
        self._live.stop()
        try:
            yield
        finally:
            self._live.transient = False
            self._live.start()

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """The table is on the terminal while this lasts."""
        with self._live:
            yield


@contextmanager
def following(planned_steps: int, tell: Tell | None = None) -> Iterator[View]:
    """The view that suits standard output; `tell` is `line` unless given."""
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        live = Live(console, Board(planned_steps), tell or line)
        with live.drawn():
            yield live
    else:
        began = time.monotonic()
        yield Lines(
            lambda text: print(text if tell else f"{time.monotonic() - began:7.0f} s  {text}", flush=True), tell or line
        )


def line(event: Event) -> str:
    """An event in one line; empty for those that need none."""
    match event:
        case Started():
            goes = "goes on" if event.resumed else "starts"
            return f"{event.run} {goes}: {event.task}, {event.method} with {event.llm}"
        case Asked(key=key):
            again = f" again, {key.attempt}" if key.attempt else ""
            return f"iteration {key.iteration}, candidate {key.candidate}: asked{again}"
        case Replied(key=key, reply=reply):
            where = ", from the journal" if event.recorded else ""
            spent = f"{cost(event.tokens, event.usd)} so far"
            return f"iteration {key.iteration}, candidate {key.candidate}: reply of {reply.model}{where} ({spent})"
        case Unanswered(key=key):
            return f"iteration {key.iteration}, candidate {key.candidate}: no reply. {event.message}"
        case Described(key=key):
            return f"iteration {key.iteration}, candidate {key.candidate}: the motion is described"
        case Faulted(key=key, faults=faults):
            return f"iteration {key.iteration}, candidate {key.candidate}: " + "; ".join(map(fault, faults))
        case Accepted(key=key):
            warnings = "".join(f" Warning: {warning}" for warning in event.warnings)
            return f"iteration {key.iteration}, candidate {key.candidate}: passed check and probe.{warnings}"
        case TrainingStarted():
            return f"{event.trial}: {event.doing} for {event.budget:,} steps"
        case TrainingProgress():
            row = Row(
                steps=event.steps, budget=event.budget, steps_per_second=event.steps_per_second, terms=event.terms
            )
            left = f", {duration(row.seconds_left)} left" if duration(row.seconds_left) else ""
            return (
                f"{event.trial}: {event.steps:,} of {event.budget:,} steps at {event.steps_per_second:,.0f}/s{left}; "
                f"{terms(row.top_terms())}"
            )
        case Scoring():
            lasting = duration(event.seconds_left) if event.done < event.episodes else ""
            left = f", about {lasting} left" if lasting else ""
            return f"{event.trial}: {event.done} of {event.episodes} episodes planned and scored{left}"
        case Evaluated(outcome=Fault() as problem):
            return f"{event.trial}: {fault(problem)}"
        case Evaluated(outcome=Outcome() as outcome):
            scores = ", ".join(f"{name} {interval(value)}" for name, value in outcome.metrics.items())
            return f"{event.trial}: {scores or 'trained'}"
        case Judged(judgement=judgement):
            return f"iteration {event.iteration}: {verdict(judgement)}"
        case Spoke():
            return f"iteration {event.iteration}, candidate {event.candidate}: {SPOKEN[event.whose]}: {event.words}"
        case Best():
            return f"iteration {event.iteration}, candidate {event.candidate} is the best so far"
        case Noted():
            return event.text
    return ""


def verdict(judgement: Judgement) -> str:
    """What a judge said of a round, in one line."""
    said = [f"candidate {judgement.best} is the best" if judgement.best is not None else "none is preferred"]
    said += [f"candidate {judgement.worst} the worst"] if judgement.worst is not None else []
    if judgement.beats_champion is not None:
        said.append(f"{'better' if judgement.beats_champion else 'not better'} than the best before")
    return f"{judgement.judge} says: {', '.join(said)} ({count(judgement.queries, 'comparison')})"


def fault(found: Fault) -> str:
    """A fault in one line: without the screens below it, which are the model's to read."""
    said = found.message.partition("\n")[0]
    return f"{found.stage} fault{f', line {found.line}' if found.line else ''}: {said}"


def terms(values: list[tuple[str, float]]) -> str:
    """Terms with their means."""
    return ", ".join(f"{name} {number(value)}" for name, value in values)


def table(board: Board) -> Table:
    """The rows of a board."""
    from rich.table import Table

    shown = Table(
        box=None,
        show_header=bool(board.rows),
        pad_edge=False,
        header_style="bold",
        caption=_caption(board),
        caption_justify="left",
    )
    scored = any(row.metrics for row in board.rows.values())
    for heading in ("", "stage", "done", "steps/s", "terms (mean a step)", *(["score"] if scored else []), "left"):
        shown.add_column(heading, justify="right" if heading in ("done", "steps/s", "left") else "left")
    for trial, row in board.rows.items():
        best = board.best is not None and (trial.phase, trial.iteration, trial.index) == (
            "candidate",
            board.best.iteration,
            board.best.candidate,
        )
        first = next(iter(row.metrics.items()), None)
        shown.add_row(
            str(trial),
            row.stage,
            f"{100 * row.done:.0f} %" if row.budget else "",
            f"{row.steps_per_second:,.0f}" if row.running and row.steps_per_second > 0 else "",
            terms(row.top_terms()),
            *([f"{first[0]} {interval(first[1])}" if first else ""] if scored else []),
            duration(row.seconds_left if row.running else row.scoring_left),
            style="bold green" if best else None,
        )
    return shown


def _caption(board: Board) -> str:
    left = duration(board.seconds_left)
    return f"{cost(board.tokens, board.usd)}" + (f"; about {left} left in all" if left else "")

"""What a session shows on a terminal, or as plain lines where standard output is none."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reward_agent.chat.transcript import brief, look_in_words, training_in_words
from reward_agent.cli.board import interval
from reward_agent.cli.view import Lines, fault, line
from reward_agent.events import (
    Accepted,
    Asked,
    Evaluated,
    Event,
    Faulted,
    Looking,
    Noted,
    Replied,
    TrainingProgress,
    TrainingStarted,
)
from reward_agent.sandbox.text import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from reward_agent.chat import Turn
    from reward_agent.history import Interval
    from reward_agent.program import Program


class Screen:
    """Writes; takes a session's events, and listens to its replies. Nothing of a text can steer the terminal."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console as RichConsole

        # as standard output is now: under `--json` it is standard error
        self.console = console or RichConsole(file=sys.stdout, highlight=False)
        self._status: Status | None = None
        self._lines = Lines(self.note, _tell)
        self._open_line = False
        self._asked = ""
        """What is under way while a reply is awaited."""

    def say(self, text: str, style: str = "") -> None:
        """A paragraph."""
        self._close_line()
        self.console.print(plain(text), style=style or None, markup=False, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Something on the side."""
        self.say(text, "dim")

    def trouble(self, error: BaseException) -> None:
        """An error that ends nothing."""
        self.say(str(error), "red")

    def piece(self, text: str) -> None:
        """A piece of a reply, as it comes."""
        self._quiet()
        text = plain(text)
        self.console.print(text, style="cyan", end="", markup=False, highlight=False, soft_wrap=True)
        if text:
            self._open_line = not text.endswith("\n")

    def again(self) -> None:
        """The reply begins anew."""
        self.note("The connection broke; the reply begins anew.")

    def waits(self, text: str) -> None:
        """What a person has to do before a reply comes."""
        self.say(text, "yellow")
        self._turn_round(self._asked)

    def __call__(self, event: Event) -> None:
        from rich.text import Text

        match event:
            case TrainingStarted() | TrainingProgress() if self._status is not None:
                self._close_line()
                self._status.update(Text(plain(_tell(event))))
                self._status.start()
            case Looking():
                self._turn_round(f"looking: {event.seconds:.1f} of {event.of:.3g} s")
            case Asked():
                self._lines(event)
                self._turn_round(self._asked)
            case Replied():
                self._close_line()
            case Accepted():
                self._lines(event)
                self._turn_round("looking")
            case _:
                self._lines(event)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """While this lasts something is under way, which a Ctrl-C ends."""
        self._asked = what
        if self.console.is_terminal:
            self._status = self.console.status("")
            self._turn_round(what)
        try:
            yield
        finally:
            self._quiet()
            self._status = None
            self._close_line()

    def program(self, program: Program) -> None:
        """A reward, in colours where there are some."""
        from rich.syntax import Syntax

        source = program.source.rstrip()
        if not self.console.is_terminal:
            self.say(source)  # as it is, for a script to read
            return
        self._close_line()
        self.console.print(Syntax(plain(source), "python", theme="ansi_dark", word_wrap=True))

    def difference(self, before: Program, after: Program) -> None:
        """What changed between two rewards, line by line."""
        lines = difflib.unified_diff(
            before.source.splitlines(), after.source.splitlines(), "before", "now", lineterm="", n=2
        )
        colours = {"+": "green", "-": "red", "@": "cyan"}
        found = list(lines)
        for text in found:
            self.say(text, colours.get(text[:1], ""))
        if not found:
            self.note("The program is the same.")

    def came_of(self, turn: Turn) -> None:
        """How a turn ended."""
        if turn.program is None:
            stopped = "Stopped. `/go` tries again; other words take the place of these."
            failed = "No reward came of it: every reply was faulty. Say it otherwise, or `/go` for another try."
            self.say(stopped if turn.stopped else failed, "yellow")
        elif turn.looks:
            self.say(look_in_words(turn.looks[-1]), "bold")

    def trained(self, turn: Turn) -> None:
        """What the last training of a turn brought."""
        self.say(training_in_words(turn.trained[-1]), "bold")

    def story(self, turns: tuple[Turn, ...]) -> None:
        """The session so far."""
        for turn in turns:
            for text in brief(turn):
                self.say(text, "bold" if text.startswith("> ") else "")

    def scores(self, metrics: Mapping[str, Interval], of: str) -> None:
        """Metrics, one a line."""
        self.say(f"{of}:")
        for name, value in metrics.items():
            self.say(f"  {name} {interval(value)}")

    def _turn_round(self, what: str) -> None:
        """Show, as long as no line comes, what is under way."""
        if self._status is not None:
            self._status.update(f"{what} (Ctrl-C stops it)")
            self._status.start()

    def _quiet(self) -> None:
        """The terminal is for lines now, not for what turns round."""
        if self._status is not None:
            self._status.stop()

    def _close_line(self) -> None:
        if self._open_line:
            self._open_line = False
            self.console.print()


def _tell(event: Event) -> str:
    """An event as somebody needs it who sits in front of it."""
    match event:
        case Asked(key=key) if key.attempt:
            return "The fault goes back to the model."
        case Faulted(faults=faults):
            return "Faulty: " + "; ".join(map(fault, faults))
        case Accepted(warnings=warnings, subgoals=subgoals):
            told = "".join(f"\n  {each.name}: {each.doc}" for each in subgoals)
            warned = "".join(f" Warning: {warning}" for warning in warnings)
            return f"Passed check and probe.{warned}{told and f' Its subgoals:{told}'}"
        case TrainingStarted(budget=budget, doing=doing):
            return f"{doing} for {budget:,} steps (Ctrl-C stops it)"
        case TrainingProgress() | Noted():
            return line(event)
        case Evaluated():
            return ""
    return ""

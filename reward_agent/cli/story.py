"""A run told as it goes, for somebody who sees one for the first time: what is recorded, what is live, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from reward_agent.cli.board import interval, number
from reward_agent.cli.view import View, fault
from reward_agent.events import (
    Accepted,
    Asked,
    Best,
    Evaluated,
    Event,
    Faulted,
    Replied,
    Spoke,
    Started,
    TrainingStarted,
)
from reward_agent.history import Outcome
from reward_agent.messages import Message

WIDTH = 100
PROMPT_LINES, REPLY_LINES = 12, 34


class Story:
    """Tells the events a newcomer should see and hands the rest, as live progress, to another view."""

    def __init__(self, view: View, say: Callable[[str], None], *, replayed: bool) -> None:
        self._view, self._say, self._replayed = view, say, replayed
        self._prompted = False
        self._trainings = 0

    def __call__(self, event: Event) -> None:
        text = "\n".join(self._tell(event))
        if text:
            self._say(text)
        else:
            self._view(event)

    def aside(self) -> AbstractContextManager[None]:
        return self._view.aside()

    def _tell(self, event: Event) -> Iterator[str]:
        match event:
            case Started():
                yield f"\nThe sentence: “{event.instruction}” ({event.task})"
                yield f"Method {event.method}; it lets the model see: {event.sees}."
                yield f"Reward code runs locked up: {', '.join(event.layers) or 'NOT AT ALL (--unsafe)'}."
                yield f"Everything is kept in {event.folder}."
            case Asked(key=key, messages=messages) if not self._prompted:
                self._prompted = True
                yield f"\nThe prompt, shortened (all of it: {key.folder}/messages.json):"
                yield from _quoted(_prompt(messages), PROMPT_LINES)
            case Asked(key=key) if key.attempt:
                yield "The fault goes back to the model. It costs no training."
            case Asked(key=key):
                yield f"\nIteration {key.iteration}: told how its last reward did, the model is asked for a better one."
            case Replied(key=key, reply=reply):
                day = f" on {reply.date[:10]}" if reply.date else ""
                source = f"RECORDED from {reply.model}{day}" if self._replayed else f"LIVE from {reply.model}"
                yield f"\nThe reply [{source}]:"
                yield from _quoted(reply.text, REPLY_LINES)
            case Faulted(faults=faults):
                yield "\nThe reward is faulty; nothing is trained on it:"
                yield from (textwrap.indent(textwrap.fill(fault(found), WIDTH), "  ! ") for found in faults)
            case Accepted(key=key, warnings=warnings):
                repaired = " after its repair" if key.attempt else ""
                yield f"The reward passes the check and, in the sandbox, the probe{repaired}."
                yield from (textwrap.indent(textwrap.fill(f"warning: {text}", WIDTH), "  ") for text in warnings)
            case TrainingStarted(trial=trial, budget=budget):
                self._trainings += 1
                what = {
                    "candidate": "a policy on this reward",
                    "final": "the winner again, from scratch on a new seed",
                    "expert": "a policy on the expert's reward, to compare",
                }[trial.phase]
                yield f"Training {self._trainings} [LIVE on this machine]: {what}, {budget:,} steps."
            case Evaluated(trial=trial, outcome=Outcome() as outcome):
                name, value = next(iter(outcome.metrics.items()))
                yield f"{str(trial).capitalize()}: {name} {interval(value)} on episodes it never saw."
            case Spoke(words=words, automatic=automatic):
                who = "Words on it, made from the outcome" if automatic else "A person's words on it"
                yield f"{who}:"
                yield from _quoted(words, PROMPT_LINES)
            case Best(metrics=metrics):
                yield f"The best so far ({number(next(iter(metrics.values())).mean)})."


def _prompt(messages: tuple[Message, ...]) -> str:
    return "\n".join(f"[{message.role}] {message.text.strip()}" for message in messages)


def _quoted(text: str, most: int) -> Iterator[str]:
    """The first lines of a text, indented, none longer than the page."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    for line in lines[:most]:
        yield f"  | {textwrap.shorten(line, WIDTH) if len(line) > WIDTH else line}"
    if len(lines) > most:
        yield f"  | … ({len(lines) - most} lines more)"

"""A run told as it goes, for somebody who sees one for the first time: what is recorded, what is live, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from reward_agent.cli.board import interval, number
from reward_agent.cli.view import fault, line
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
from reward_agent.history import Outcome
from reward_agent.variant import SPOKEN

WIDTH = 100
PROMPT_LINES, REPLY_LINES = 7, 32


class Story:
    """Words on the events that a newcomer should see; the others are told as to anybody."""

    def __init__(self, *, replayed: bool) -> None:
        self._replayed = replayed
        self._asked = -1
        """The last iteration that was asked for."""
        self._trainings = 0

    def __call__(self, event: Event) -> str:
        if isinstance(event, TrainingProgress | Scoring | Noted | Unanswered | Judged):
            return f"  {line(event)}"
        return "\n".join(self._tell(event))

    def _tell(self, event: Event) -> Iterator[str]:
        match event:
            case Started():
                yield f"\nThe sentence: “{event.instruction}” ({event.task})"
                yield f"Method {event.method}; it lets the model see: {event.sees}."
                yield f"Reward code runs locked up: {', '.join(event.layers) or 'NOT AT ALL (--unsafe)'}."
                yield f"Everything is kept in {event.folder}."
            case Asked(key=key, messages=messages) if self._asked < 0:
                self._asked = key.iteration
                yield f"\nThe prompt, shortened (all of it: {key.folder}/messages.json):"
                for message in messages:
                    yield from _quoted(f"[{message.role}] {message.text.strip()}", PROMPT_LINES)
            case Asked(key=key) if key.attempt:
                yield "The fault goes back to the model. It costs no training."
            case Asked(key=key) if key.iteration > self._asked:
                self._asked = key.iteration
                yield f"\nIteration {key.iteration}: told how its last reward did, the model is asked for a better one."
            case Replied(key=key, reply=reply):
                day = f" on {reply.date[:10]}" if reply.date else ""
                source = f"RECORDED from {reply.model}{day}" if self._replayed else f"LIVE from {reply.model}"
                yield f"\nThe reply [{source}], candidate {key.candidate} of iteration {key.iteration}:"
                yield from _quoted(reply.text, REPLY_LINES)
            case Described(key=key):
                yield f"\nThat describes the motion for candidate {key.candidate}; now it is to be set."
            case Faulted(key=key, faults=faults):
                yield f"\nThe reward of candidate {key.candidate} is faulty; nothing is trained on it:"
                yield from (textwrap.indent(textwrap.fill(fault(found), WIDTH), "  ! ") for found in faults)
            case Accepted(key=key, warnings=warnings):
                repaired = " after its repair" if key.attempt else ""
                yield f"\nThe reward of candidate {key.candidate} passes check and, in the sandbox, probe{repaired}."
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
                scores = [
                    f"{name} {interval(value)} on episodes it never saw" for name, value in outcome.metrics.items()
                ]
                yield f"{str(trial).capitalize()}: {scores[0] if scores else 'trained'}."
            case Spoke(words=words, whose=whose):
                yield f"{SPOKEN[whose].capitalize()}:"
                yield from _quoted(words, PROMPT_LINES)
            case Best(metrics=metrics):
                score = [f" ({number(value.mean)})" for value in metrics.values()]
                yield f"The best so far{score[0] if score else ''}."


def _quoted(quoted: str, most: int) -> Iterator[str]:
    """The first lines of a text, indented, none longer than the page."""
    lines = [each for each in quoted.strip().splitlines() if each.strip()]
    for text in lines[:most]:
        yield f"  | {text[: WIDTH - 1]}…" if len(text) > WIDTH else f"  | {text}"
    if len(lines) > most:
        yield f"  | … ({len(lines) - most} lines more)"

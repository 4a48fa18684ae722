"""A session as a text to read again: what was said, the reward it led to, and what that led to."""

from __future__ import annotations

from collections.abc import Iterator

from reward_agent.chat.talk import Looked, Talk, Turn
from reward_agent.feedback import fenced
from reward_agent.history import Outcome
from reward_agent.methods.base import USER
from reward_agent.program import Fault, TrainingFault
from reward_agent.trial import Trained
from reward_agent.wording import count, interval, number


def transcript(talk: Talk) -> str:
    """All turns as Markdown, those taken back as well."""
    return "\n".join(line for turn in talk.turns for line in _turn(turn))


def brief(turn: Turn) -> Iterator[str]:
    """A turn in a few lines, without its program."""
    yield f"> {said(turn)}"
    if turn.program is None:
        yield "no reward came of it" if turn.attempts and not turn.stopped else "not finished"
    for looked in turn.looks:
        yield look_in_words(looked)
    for made in turn.trained:
        yield training_in_words(made)


def said(turn: Turn) -> str:
    """What began a turn."""
    if turn.automatic:
        return f"/go{f' {turn.words}' if turn.words else ''}"
    return turn.words or ("/go" if turn.iteration == 0 and not _brought(turn) else "(the reward you brought)")


def look_in_words(looked: Looked) -> str:
    """What a look showed, in a line; in a second one, that nothing carries on from there."""
    if isinstance(looked.outcome, TrainingFault):
        return f"The reward failed at work{_line(looked.outcome)}: {looked.outcome.message}"
    if looked.stopped:
        return "Not looked at: stopped."
    if not looked.outcome.measured:
        return "Not looked at."
    ended = "\nThe episode ended there, so the next look begins with a reset." if looked.anew else ""
    return f"Looked at by {_how(looked.outcome, looked.real_time_factor)}: {outcome_in_words(looked.outcome)}{ended}"


def training_in_words(made: Trained | TrainingFault) -> str:
    """What a training brought, in a line."""
    if isinstance(made, TrainingFault):
        return f"The reward failed in its training{_line(made)}: {made.message}"
    return f"A policy of {count(made.outcome.steps, 'step')}: {outcome_in_words(made.outcome)}"


def outcome_in_words(outcome: Outcome) -> str:
    """Metrics, if any, then the terms as they were in the end."""
    scores = ", ".join(f"{name} {interval(value)}" for name, value in outcome.metrics.items())
    terms = [f"{name} {number(values[-1])}" for name, values in outcome.terms.items() if values]
    return "; ".join(filter(None, (cut_short_in_words(outcome) or scores, f"terms a step: {', '.join(terms)}")))


def cut_short_in_words(outcome: Outcome) -> str:
    """That an episode was stopped before its end, as `stopped after 0.62 of 6 s; not scored`; nothing of others."""
    if outcome.stopped_of is None:
        return ""
    unscored = "; not scored" if outcome.metrics else ""
    return f"stopped after {outcome.seconds:.3g} of {outcome.stopped_of:.3g} s{unscored}"


def _how(outcome: Outcome, factor: float | None) -> str:
    if outcome.by == "planner":
        played = f", {factor:.2g} times real time" if factor is not None else ""
        return f"the planner, {outcome.seconds:.3g} s{played}"
    return f"a short training of {count(outcome.steps, 'step')}"


def _turn(turn: Turn) -> Iterator[str]:
    lines = list(brief(turn))
    yield lines[0] + ("\n\n(taken back)" if turn.undone else "") + "\n"
    for attempt in turn.attempts:
        for fault in attempt.faults:
            yield f"A reply was faulty ({fault.stage}{_line(fault)}): {fault.message}\n"
    if turn.program is not None:
        yield fenced(turn.program.source) + "\n"
    for line in lines[1:]:
        yield f"{line}\n"


def _brought(turn: Turn) -> bool:
    return bool(turn.attempts) and turn.attempts[0].reply.model == USER


def _line(fault: Fault) -> str:
    return f", line {fault.line}" if fault.line else ""

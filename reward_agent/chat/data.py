"""A turn as plain data, as `--json` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reward_agent.chat.talk import Looked, Turn
from reward_agent.codec import encode
from reward_agent.history import Interval, Outcome
from reward_agent.program import Fault
from reward_agent.trial import Trained


def in_data(turn: Turn) -> dict[str, Any]:
    """What was said, and what came of it."""
    outcome = turn.outcome
    seen = outcome if isinstance(outcome, Outcome) and outcome.measured else None
    known: Mapping[str, Interval] = seen.metrics if seen and seen.scored else {}
    return {
        "iteration": turn.iteration,
        "branch": turn.branch,
        "words": turn.words,
        "automatic": turn.automatic,
        "undone": turn.undone,
        "stopped": turn.stopped,
        "faults": [encode(fault) for attempt in turn.attempts for fault in attempt.faults],
        "program": turn.program.source if turn.program else None,
        "by": seen.by if seen else None,
        "fault": encode(outcome) if isinstance(outcome, Fault) else None,
        "metrics": {name: interval.in_data() for name, interval in known.items()},
        "terms": {name: values[-1] for name, values in seen.terms.items() if values} if seen else {},
        "looks": [_look(looked) for looked in turn.looks],
        "policies": sum(isinstance(result, Trained) for result in turn.trained),
    }


def _look(looked: Looked) -> dict[str, Any]:
    """`stopped`: the person ended it before anything was played. `stopped_of`: seconds of the episode, where it was
    stopped before its end and is not scored. `fault`: how the program failed at work. Of what was not looked at all
    are empty."""
    seen = looked.outcome if isinstance(looked.outcome, Outcome) and looked.outcome.measured else None
    return {
        "by": seen.by if seen else None,
        "seconds": seen.seconds if seen and seen.by == "planner" else None,
        "stopped_of": seen.stopped_of if seen else None,
        "real_time_factor": looked.real_time_factor,
        "stopped": looked.stopped,
        "fault": encode(looked.outcome) if isinstance(looked.outcome, Fault) else None,
    }

"""A turn as plain data, as `--json` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reward_agent.chat.talk import Turn
from reward_agent.codec import encode
from reward_agent.history import Interval, Outcome
from reward_agent.program import Fault
from reward_agent.trial import Trained


def in_data(turn: Turn) -> dict[str, Any]:
    """What was said, and what came of it."""
    outcome = turn.outcome
    seen = outcome if isinstance(outcome, Outcome) and outcome.measured else None
    known: Mapping[str, Interval] = seen.metrics if seen else {}
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
        "metrics": {name: interval._asdict() for name, interval in known.items()},
        "terms": {name: values[-1] for name, values in seen.terms.items() if values} if seen else {},
        "policies": sum(isinstance(result, Trained) for result in turn.trained),
    }

"""When a request that came to nothing is worth another one."""

from __future__ import annotations

import random

from reward_agent.llm.asking import RequestError

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
_LONGEST_WAIT_ASKED_FOR = 120.0


def pause(failure: RequestError, retry_after: str, attempt: int) -> float | None:
    """Seconds before the request after number `attempt` (from 0); None where there should be none.

    `retry_after` is the header of that name, or empty.
    """
    status = failure.status
    if failure.kind == "nonsense" or (status is not None and status not in (408, 409, 429) and status < 500):
        return None
    try:
        asked = float(retry_after)
    except ValueError:
        # a date, or nothing
        asked = 0.0
    if asked > _LONGEST_WAIT_ASKED_FOR:
        return None
    backoff = min(_FIRST_WAIT * 2.0**attempt, _LONGEST_WAIT)
    return asked if asked > 0 else backoff * random.uniform(0.75, 1.0)

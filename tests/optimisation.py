"""A reward source in process, for tests of what stands above the cell."""

from __future__ import annotations

import numpy as np

from reward_agent.program import Fault, Rewards
from reward_agent.schema import Array
from reward_agent.sources import SourceFaultError
from reward_agent.task import Bools


class NearSource:
    """The tiny world's expert reward, in process; remembers what it was asked."""

    term_names = ("near", "effort")
    fields = ("point.position", "goal.position")

    def __init__(self, *, fails_at: int | None = None, timed: bool = False) -> None:
        self.fields = (*type(self).fields, "episode.time") if timed else type(self).fields
        self.fails_at = fails_at
        self.calls: list[tuple[Array, Array, Array, Bools]] = []

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        self.calls.append((state.copy(), action.copy(), next_state.copy(), was_reset.copy()))
        if self.fails_at is not None and len(self.calls) > self.fails_at:
            raise SourceFaultError(Fault("optimise", "the program divided by zero", 3))
        near = np.exp(-2.0 * np.abs(next_state[..., 0] - next_state[..., 1]))
        effort = -0.01 * (action**2).sum(-1)
        return Rewards(near + effort, np.stack([near, effort], axis=-1))

    def close(self) -> None:
        pass

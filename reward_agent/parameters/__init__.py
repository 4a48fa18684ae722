"""Reward parameters: a small typed language of calls that sets a reward, after Language to Rewards (Yu et al., 2023).

A world that offers one (`Parameterised`) lists its functions (`api.py`). A model's calls are parsed and never executed
(`calls.py`), gathered into a plan of phases (`plan.py`), and compiled to an ordinary reward program (`compiling.py`).
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from reward_agent.parameters.api import RewardApi as RewardApi


@runtime_checkable
class Parameterised(Protocol):
    """A world whose rewards can be set by calls."""

    def reward_api(self) -> RewardApi:
        """Functions that set what the robot should be like."""
        ...

    def primitives(self) -> RewardApi:
        """Functions that tell the robot what to do next, for the baseline code-as-policies (Liang et al., 2023)."""
        ...

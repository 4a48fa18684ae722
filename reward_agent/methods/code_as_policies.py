"""Code as policies (Liang et al., 2023), as Language to Rewards compares itself with it: a program of skills.

The model calls the robot's skills one after the other. Calls are parsed and never run; each stretch between two
`execute_plan` is a phase of one reward program, in which the skills are what the planner pursues.
"""

from __future__ import annotations

from typing import ClassVar

from reward_agent.methods.l2r_coder import CoderOnly
from reward_agent.parameters import Parameterised, RewardApi
from reward_agent.task import Task


class CodeAsPolicies(CoderOnly):
    """Call skills."""

    name: ClassVar[str] = "code_as_policies"
    sees: ClassVar[str] = "words"
    system: ClassVar[str] = "code_as_policies/system.jinja"

    def api(self, task: Task) -> RewardApi:
        assert isinstance(task.world, Parameterised)
        return task.world.primitives()

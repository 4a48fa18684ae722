"""Does a world keep what the library asks of it? What `reward-agent doctor --world` runs, and a user's own tests may.

Every check is a function `check(subject) -> findings`, by name in `CHECKS`; `conform` runs them all on a task. A
`Subject` records what it played once for all of them. One file a matter, which says what is looked at and how.
"""

from __future__ import annotations

from reward_agent.conformance.finding import Finding
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.suite import CHECKS, Report, conform, sample

__all__ = ["CHECKS", "Finding", "Report", "Subject", "conform", "sample"]

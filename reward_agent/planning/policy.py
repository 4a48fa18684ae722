"""Planning as a policy: a reward program and how to plan on it. It is saved and scored as any policy is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

from reward_agent.errors import UsageError
from reward_agent.files import write_atomically
from reward_agent.optimise.policy import ARCHITECTURE, PLANNED, TENSORS
from reward_agent.planning.planner import Planner, PlannerSettings
from reward_agent.program import Program
from reward_agent.schema import Array
from reward_agent.scoring import Ready
from reward_agent.sources import RewardSource
from reward_agent.task import Task


@dataclass(frozen=True)
class PlannedPolicy:
    """Acts by planning on a program. It needs the episodes themselves, not only what is observed of them."""

    program: Program | None
    """None where what it plans on is no program: such a policy cannot be saved."""
    settings: PlannerSettings
    seed: int
    unsafe: bool = False
    """Run the program without the sandbox, at the user's word."""
    source: RewardSource | None = None
    """One of the program that is open already; it stays its owner's. Without one, each use opens a cell of its own."""

    @property
    def rows(self) -> int:
        """Episodes that it plays side by side."""
        return self.settings.rows

    def act(self, observations: Array) -> NoReturn:
        """Unlike a network, it cannot act on observations alone.

        Raises:
            UsageError: always, with what to call instead.
        """
        raise UsageError(
            "This policy plans: it tries actions in copies of the running episodes, so it needs these and cannot act "
            "on observations alone. Let it play whole ones: `reward_agent.scoring.roll_out(task, policy, seeds)` "
            "gives their scores, `reward_agent.scoring.play` their states and actions, and "
            "`reward_agent.scoring.record_video` a film; docs/language_to_rewards.md has an example."
        )

    @contextmanager
    def ready(self, task: Task, rows: int) -> Iterator[Ready]:
        """See `scoring.Planning`.

        Raises:
            UsageError: the task cannot be planned on.
            SourceFaultError: the program does not load.
        """
        from reward_agent.sources.cell import CellSource

        assert self.source or self.program, "a planner plans on something"
        source = self.source or CellSource(cast(Program, self.program), task, unsafe=self.unsafe)
        try:
            planner = Planner(task, source, self.settings, self.seed, rows=rows)
            try:
                yield Ready(source.fields, lambda episodes, observations: planner.act(episodes))
            finally:
                planner.close()
        finally:
            if source is not self.source:
                source.close()

    def save(self, folder: Path) -> None:
        """Write `policy.json`, and a `policy.safetensors` without tensors, into `folder`.

        Raises:
            UsageError: what it plans on is no program.
        """
        from safetensors.numpy import save

        if self.program is None:
            raise UsageError("A planner can be saved where it plans on a reward program, and this one does not.")
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"version": PLANNED, "planner": asdict(self.settings), "seed": self.seed}
        facts |= {"program": self.program.source, "entry": self.program.entry}
        write_atomically(folder / TENSORS, save({}))
        write_atomically(folder / ARCHITECTURE, (json.dumps(facts, indent=2) + "\n").encode())


def read_planned(facts: dict[str, Any], *, unsafe: bool = False) -> PlannedPolicy:
    """What `save` wrote. No file can say that its program may run without the sandbox: only the user can, `unsafe`.

    Raises:
        KeyError, TypeError, UsageError: it is another thing.
    """
    program = Program(str(facts["program"]), str(facts["entry"]))
    return PlannedPolicy(program, PlannerSettings(**facts["planner"]), int(facts["seed"]), unsafe)

"""Where a run stands, built from its events alone: what every view of it shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from reward_agent.events import (
    Accepted,
    Asked,
    Best,
    Described,
    Evaluated,
    Event,
    Faulted,
    Replied,
    Scoring,
    Started,
    TrainingProgress,
    TrainingStarted,
    Trial,
    Unanswered,
)
from reward_agent.history import Interval
from reward_agent.program import Fault
from reward_agent.wording import cost as cost
from reward_agent.wording import count as count
from reward_agent.wording import duration as duration
from reward_agent.wording import interval as interval
from reward_agent.wording import number as number

TRAINING = "training"


@dataclass
class Row:
    """One candidate, or one training from scratch at the end."""

    stage: str = ""
    steps: int = 0
    budget: int = 0
    steps_per_second: float = math.nan
    terms: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, Interval] = field(default_factory=dict)
    scoring_left: float = math.nan
    """Seconds that its score will take yet, where that is told."""

    @property
    def running(self) -> bool:
        return self.stage == TRAINING

    @property
    def done(self) -> float:
        """Share of its training; the last rollout may go beyond the budget."""
        return min(self.steps / self.budget, 1.0) if self.budget else 0.0

    @property
    def seconds_left(self) -> float:
        """Of its training; nan before the first progress."""
        left = max(self.budget - self.steps, 0)
        return left / self.steps_per_second if self.steps_per_second > 0 else math.nan

    def top_terms(self, most: int = 3) -> list[tuple[str, float]]:
        """The terms of greatest magnitude."""
        return sorted(self.terms.items(), key=lambda term: -abs(term[1]))[:most]


class Board:
    """Takes events, holds the rows.

    `planned_steps` is what the whole run will train at most.
    """

    def __init__(self, planned_steps: int = 0) -> None:
        self.planned_steps = planned_steps
        self.started: Started | None = None
        self.rows: dict[Trial, Row] = {}
        self.best: Best | None = None
        self.tokens, self.usd = 0, 0.0

    def take(self, event: Event) -> None:
        """Bring the rows up to date."""
        match event:
            case Started():
                self.started = event
            case Asked(key=key):
                self._candidate(key.iteration, key.candidate).stage = "asked again" if key.attempt else "asked"
            case Replied(key=key):
                self._candidate(key.iteration, key.candidate).stage = "replied"
                self.tokens, self.usd = event.tokens, event.usd
            case Unanswered(key=key):
                self._candidate(key.iteration, key.candidate).stage = "no reply"
            case Described(key=key):
                self._candidate(key.iteration, key.candidate).stage = "described"
            case Faulted(key=key, faults=faults):
                line = f" line {faults[0].line}" if faults and faults[0].line else ""
                stage = f"fault: {faults[0].stage}{line}" if faults else "fault"
                self._candidate(key.iteration, key.candidate).stage = stage
            case Accepted(key=key):
                self._candidate(key.iteration, key.candidate).stage = "accepted"
            case TrainingStarted(trial=trial, budget=budget):
                row = self._row(trial)
                row.stage, row.budget, row.steps = TRAINING, budget, 0
            case TrainingProgress(trial=trial):
                row = self._row(trial)
                row.stage, row.steps, row.budget = TRAINING, event.steps, event.budget
                row.steps_per_second, row.terms = event.steps_per_second, event.terms
            case Scoring(trial=trial):
                row = self._row(trial)
                row.stage, row.scoring_left = f"{event.done} of {event.episodes} episodes scored", event.seconds_left
            case Evaluated(trial=trial, outcome=outcome):
                row = self._row(trial)
                row.scoring_left = math.nan
                if isinstance(outcome, Fault):
                    row.stage = "failed in training"
                else:
                    row.stage, row.metrics = "scored" if outcome.metrics else "trained", outcome.metrics
                    row.steps = row.budget = outcome.steps
                    row.terms = {name: course[-1] for name, course in outcome.terms.items() if course}
            case Best():
                self.best = event

    @property
    def seconds_left(self) -> float:
        """Of all trainings, at the rates of now; nan when nothing trains."""
        rate = sum(row.steps_per_second for row in self.rows.values() if row.running and row.steps_per_second > 0)
        done = sum(row.steps for row in self.rows.values())
        return max(self.planned_steps - done, 0) / rate if rate and self.planned_steps else math.nan

    def _row(self, trial: Trial) -> Row:
        return self.rows.setdefault(trial, Row())

    def _candidate(self, iteration: int, candidate: int) -> Row:
        return self._row(Trial("candidate", iteration, candidate))

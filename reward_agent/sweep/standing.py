"""Where one job stands, as short values that cross to whoever watches the sweep; and how long it was worked on."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from reward_agent.events import (
    Asked,
    Evaluated,
    Event,
    Faulted,
    Noted,
    Replied,
    TrainingProgress,
    TrainingStarted,
    Trial,
)
from reward_agent.files import write_atomically
from reward_agent.history import Interval
from reward_agent.program import Fault

EVERY = 0.5
"""Seconds between two reports on the same training."""
CLOCK, SAVING_SECONDS = "clock.json", 5.0


@dataclass(frozen=True)
class Standing:
    """Of a job under way."""

    stage: str = ""
    steps: int = 0
    """Trained so far."""
    steps_per_second: float = math.nan
    """Of the training under way."""
    tokens: int = 0
    usd: float = 0.0
    score: tuple[str, Interval] | None = None
    """The latest, by the first metric, on the select seeds."""
    note: str = ""
    """Something the user should know, told once."""


class Follower:
    """Takes a run's events and sends where it stands, whenever that has changed enough."""

    def __init__(self, send: Callable[[Standing], None]) -> None:
        self._send, self._now, self._steps = send, Standing(), dict[Trial, int]()
        self._next = -math.inf

    def take(self, event: Event) -> None:
        now = self._now
        match event:
            case Asked(key=key):
                now = replace(now, stage=f"asks, iteration {key.iteration}, candidate {key.candidate}")
            case Replied():
                now = replace(now, tokens=event.tokens, usd=event.usd)
            case Faulted(key=key):
                now = replace(now, stage=f"fault, iteration {key.iteration}, candidate {key.candidate}")
            case TrainingStarted(trial=trial):
                now = replace(now, stage=str(trial), steps_per_second=math.nan)
            case TrainingProgress(trial=trial):
                self._steps[trial] = event.steps
                now = replace(now, stage=str(trial), steps_per_second=event.steps_per_second)
            case Evaluated(trial=trial, outcome=outcome):
                if not isinstance(outcome, Fault):
                    self._steps[trial] = outcome.steps
                    now = replace(now, score=next(iter(outcome.metrics.items()), now.score))
            case Noted(text=text):
                self._send(replace(now, note=text))
        now = replace(now, steps=sum(self._steps.values()))
        if now != self._now and (now.stage != self._now.stage or time.monotonic() >= self._next):
            self._next = time.monotonic() + EVERY
            self._send(now)
        self._now = now


class Clock:
    """Seconds a job was worked on, in all its sittings; written every few seconds, for a sitting may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._began = folder, time.monotonic()
        self._before = read_clock(folder)
        self._saved = self._began

    def tick(self) -> None:
        """Keep the time now and then."""
        if time.monotonic() - self._saved >= SAVING_SECONDS:
            self.save()

    def save(self) -> None:
        self._saved = time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        total = self._before + self._saved - self._began
        write_atomically(self._folder / CLOCK, json.dumps({"seconds": round(total, 3)}).encode())


def read_clock(folder: Path) -> float:
    """Seconds that the job in `folder` was worked on so far."""
    path = folder / CLOCK
    return float(json.loads(path.read_text())["seconds"]) if path.is_file() else 0.0

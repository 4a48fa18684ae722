"""What tests of judges share: entrants with known scores, and a desk where nobody is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pointmass

from reward_agent.history import At, Interval, Outcome
from reward_agent.judges import AskLine, Desk, Entrant, Question
from reward_agent.messages import Message, Reply
from reward_agent.program import Program
from reward_agent.templates import Templates


def outcome(score: float) -> Outcome:
    """Of a training that ended with this score by every metric."""
    return Outcome(
        metrics={metric.name: Interval(score, score, score) for metric in pointmass.task.metrics},
        terms={"near": (0.1, 0.2)},
        episode_return=(1.0, 2.0),
        episode_length=(10.0, 10.0),
        task_score=(score,),
        steps=1000,
        seconds=1.0,
    )


def entrant(folder: Path, at: At, score: float, source: str = pointmass.EXPERT) -> Entrant:
    scores = {metric.name: (score,) * 4 for metric in pointmass.task.metrics}
    return Entrant(at, Program(source), outcome(score), scores, folder / f"iter_{at[0]:02d}/cand_{at[1]:02d}", None)


def question(folder: Path, scores: Sequence[float], champion: float | None = None, iteration: int = 0) -> Question:
    """On a round whose candidates have these scores."""
    return Question(
        task=pointmass.task,
        iteration=iteration,
        entrants=tuple(entrant(folder, (iteration, index), score) for index, score in enumerate(scores)),
        champion=None if champion is None else entrant(folder, (0, 9), champion),
        folder=folder / f"iter_{iteration:02d}" / "judging",
        seed=0,
    )


@dataclass
class EmptyDesk:
    """Nobody at the terminal, no model."""

    person: AskLine | None = None
    resume: str = "reward-agent resume RUN"
    templates: Templates = field(default_factory=Templates)

    def ask(self, name: str, messages: Sequence[Message]) -> Reply:
        raise AssertionError("no model is asked here")

    def tell(self, text: str) -> None:
        """Nobody hears it."""


NOBODY: Desk = EmptyDesk()

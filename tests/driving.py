"""Policies of the point on its line, by hand: networks of one layer, saved as a training saves them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from judged import entrant, outcome
from pointmass import task

from reward_agent.history import Interval
from reward_agent.judges import Entrant, Question
from reward_agent.optimise.policy import Policy
from reward_agent.scoring import roll_out
from reward_agent.task import Metric, Task


def driver(
    position: float, velocity: float, goal: float, *, observe_time: bool = False, discrete: bool = False
) -> Policy:
    """Pushes by these weights of what it observes; a discrete one by the sign."""
    weights = np.array([[position, velocity, goal, *([0.0] if observe_time else [])]])
    if discrete:
        weights = np.concatenate([-weights, 0 * weights, weights])
    size = weights.shape[1]
    return Policy(
        weights=(weights.astype(np.float32),),
        biases=(np.zeros(len(weights), np.float32),),
        activation="tanh",
        squash=False,
        low=np.array([0.0 if discrete else -1.0]),
        high=np.array([2.0 if discrete else 1.0]),
        mean=np.zeros(size),
        variance=np.ones(size),
        observe_time=observe_time,
        discrete=discrete,
    )


ARRIVES = driver(-20.0, -10.0, 20.0)
"""At the goal, and stays."""
RUSHES = driver(0.0, 0.0, 5.0)
"""Through the goal at full speed and on: near it for a while, and soon far away."""
DAWDLES = driver(0.0, 0.0, 0.03)
"""Towards the goal, slowly."""
RESTS = driver(0.0, 0.0, 0.0)


def closeness(of: Task = task) -> Metric:
    return next(metric for metric in of.metrics if metric.name == "closeness")


def driven(folder: Path, *policies: Policy, of: Task = task) -> Question:
    """A round whose candidates are these, saved and scored on four episodes."""
    blanks = (entrant(folder, (0, index), 0.0) for index in range(len(policies)))
    entrants = tuple(_scored(blank, policy, of) for blank, policy in zip(blanks, policies, strict=True))
    return Question(of, 0, entrants, None, folder / "judging", seed=0)


def _scored(blank: Entrant, policy: Policy, of: Task) -> Entrant:
    policy.save(blank.folder)
    scores = {name: tuple(values.tolist()) for name, values in roll_out(of, policy, range(4)).items()}
    metrics = {name: Interval(float(np.mean(values)), 0.0, 0.0) for name, values in scores.items()}
    return replace(blank, outcome=replace(outcome(0.0), metrics=metrics), scores=scores)

"""Trainings of a session, in a worker process: the short one that is a look, and the policy that `/train` makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reward_agent.chat.looking import Look
from reward_agent.config import RunConfig
from reward_agent.events import Events, Trial
from reward_agent.program import SUBGOALS, Fault, Program, TrainingFault
from reward_agent.scoring import SeedPlan
from reward_agent.task import Task
from reward_agent.trainings import MEASURED_SHARES, run_trials
from reward_agent.trial import Trained, TrialSpec
from reward_agent.workers import Pool


@dataclass(frozen=True)
class Trainings:
    """What the trainings of one session have in common."""

    config: RunConfig
    reference: str | Task
    """How a worker finds the task."""
    pool: Pool[Trial]
    events: Events

    def train(self, trial: Trial, program: Program, budget: int, folder: Path) -> Trained | TrainingFault:
        """Train on a program and score the policy on the select seeds; from its checkpoint, where there is one.

        Raises:
            KeyboardInterrupt: Ctrl-C; the worker has saved what it had.
        """
        config = self.config
        spec = TrialSpec(
            task=self.reference,
            program=program,
            budget=budget,
            seed=SeedPlan.training_seed(config.seed, trial.iteration, trial.index),
            folder=folder,
            optimiser=config.optimiser,
            preset=config.preset,
            settings=config.settings,
            measured_at=tuple(int(budget * share) for share in MEASURED_SHARES),
            select_seeds=tuple(int(s) for s in SeedPlan.select_seeds(config.seed, config.select_episodes)),
            unsafe=config.unsafe,
            tensorboard=config.tensorboard,
            shaping=config.shaping if program.entry == SUBGOALS else {},
        )
        return run_trials(self.pool, {trial: spec}, self.events)[trial]


@dataclass(frozen=True)
class TrainingLooker:
    """Looks by a short training; its policy stays in `folder`."""

    trainings: Trainings
    trial: Trial
    budget: int
    folder: Path

    def look(self, task: Task, program: Program) -> Look | Fault:
        """See `Looker`."""
        trained = self.trainings.train(self.trial, program, self.budget, self.folder)
        if isinstance(trained, TrainingFault):
            return trained
        outcome = trained.outcome
        return Look(
            terms=outcome.terms,
            total=outcome.episode_return,
            metrics={name: interval.mean for name, interval in outcome.metrics.items()},
            seconds=outcome.steps * task.world.dt,
            real_time_factor=None,
            outcome=outcome,
        )

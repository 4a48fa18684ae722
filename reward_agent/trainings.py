"""Trainings of a run, side by side in the pool, each journalled as it ends and never done twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reward_agent.config import RunConfig
from reward_agent.evaluate import SeedPlan
from reward_agent.events import Evaluated, Events, Noted, TrainingProgress, TrainingStarted, Trial
from reward_agent.files import write_atomically
from reward_agent.messages import Key
from reward_agent.optimise.policy import TENSORS
from reward_agent.program import Fault, Program
from reward_agent.store import Run, sha256
from reward_agent.task import Task
from reward_agent.trial import VIDEO, Trained, TrialSpec, VideoSpec, files_are_whole, film, run_trial
from reward_agent.workers import Job, Pool

if TYPE_CHECKING:
    from reward_agent.optimise import Progress

MEASURED_SHARES = (0.2, 0.4, 0.6, 0.8)
"""Of the budget: where the metric is measured on the way, for feedback."""


@dataclass(frozen=True)
class Training:
    """One that is wanted."""

    trial: Trial
    program: Program
    seed: int
    folder: str
    """Relative to the run's."""
    stage: str
    """Of its line in the journal, whose key is the trial's iteration and index."""
    measured: bool = False
    """Measure the metric on the way."""
    reported: bool = False
    """Score the policy on the report seeds as well, and keep it: it is trained again if its files are gone."""

    @property
    def key(self) -> Key:
        return Key(self.trial.iteration, self.trial.index, 0, self.stage)


@dataclass(frozen=True)
class Trainer:
    """What the trainings of one run have in common."""

    run: Run
    task: Task
    reference: str | Task
    """How a worker finds the task."""
    config: RunConfig
    pool: Pool[Trial]
    events: Events

    def train(self, wanted: Iterable[Training]) -> dict[Trial, Trained | Fault]:
        """Results in the order wanted, whatever order they ended in; those in the journal are taken from there."""
        results: dict[Trial, Trained | Fault] = {}
        missing: dict[Trial, Training] = {}
        for training in wanted:
            found = self._recorded(training)
            if found is None:
                missing[training.trial] = training
            else:
                results[training.trial] = found
                self._tell(training.trial, found, recorded=True)
        order = [*results, *missing]
        results |= self._train(missing)
        return {trial: results[trial] for trial in sorted(order, key=lambda t: (t.phase, t.iteration, t.index))}

    def film(self, trial: Trial, folder: Path, seed: int) -> None:
        """Leave a clip of the policy in a folder, where there is none yet; where none can be made, say why."""
        path, mark = folder / VIDEO, folder / f".{VIDEO}.of"
        policy = sha256(folder / TENSORS)
        if path.exists() and mark.exists() and mark.read_text() == policy:
            return
        for _, lacking in self.pool.run({trial: Job(film, VideoSpec(self.reference, folder, seed, path))}):
            if lacking:
                self.events(Noted(f"No video could be made: {lacking}"))
            else:
                write_atomically(mark, policy.encode())

    def _recorded(self, training: Training) -> Trained | Fault | None:
        found: Trained | Fault | None = self.run.recorded(training.key, Trained | Fault)
        if isinstance(found, Trained) and training.reported:
            return found if files_are_whole(self.run.folder / training.folder, found.files) else None
        return found

    def _train(self, missing: Mapping[Trial, Training]) -> dict[Trial, Trained | Fault]:
        if not missing:
            return {}
        threads = max(1, self.pool.jobs // len(missing))
        jobs = {trial: Job(run_trial, self._spec(training, threads)) for trial, training in missing.items()}
        budget = self.config.steps(self.task)
        results: dict[Trial, Trained | Fault] = {}

        def progress(trial: Trial, at: Progress) -> None:
            self.events(
                TrainingProgress(
                    trial, at.steps, at.budget, at.steps_per_second, at.episode_return, at.episode_length, at.terms
                )
            )

        running = self.pool.run(jobs, progress, lambda trial: self.events(TrainingStarted(trial, budget)))
        with closing(running):
            for trial, result in running:
                self.run.record(missing[trial].key, result)
                results[trial] = result
                self._tell(trial, result, recorded=False)
        return results

    def _spec(self, training: Training, threads: int) -> TrialSpec:
        config, budget = self.config, self.config.steps(self.task)
        report = SeedPlan.report_seeds(config.seed, config.report_episodes) if training.reported else ()
        return TrialSpec(
            task=self.reference,
            program=training.program,
            budget=budget,
            seed=training.seed,
            folder=self.run.folder / training.folder,
            optimiser=config.optimiser,
            # threads change no result, only how cores are shared
            settings={"threads": threads, **config.settings},
            measured_at=tuple(int(budget * share) for share in MEASURED_SHARES) if training.measured else (),
            select_seeds=tuple(int(s) for s in SeedPlan.select_seeds(config.seed, config.select_episodes)),
            report_seeds=tuple(int(s) for s in report),
            unsafe=config.unsafe,
            tensorboard=config.tensorboard,
        )

    def _tell(self, trial: Trial, result: Trained | Fault, *, recorded: bool) -> None:
        self.events(Evaluated(trial, result if isinstance(result, Fault) else result.outcome, recorded))

"""Trainings of a run, side by side in the pool, each journalled as it ends and never done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reward_agent.config import RunConfig
from reward_agent.crediting.distilling import Judging
from reward_agent.errors import RewardAgentError
from reward_agent.events import Evaluated, Events, Noted, Scoring, TrainingProgress, TrainingStarted, Trial
from reward_agent.files import write_atomically
from reward_agent.history import Interval
from reward_agent.llm import Budget
from reward_agent.messages import Key
from reward_agent.optimise.choice import usual
from reward_agent.optimise.policy import TENSORS
from reward_agent.program import DESCRIBED, SUBGOALS, Program, TrainingFault
from reward_agent.scoring import SeedPlan, intervals_of
from reward_agent.store import Run, sha256
from reward_agent.task import Metric, Task
from reward_agent.trial import (
    VIDEO,
    FloorsSpec,
    Scored,
    Scores,
    Trained,
    TrialSpec,
    VideoSpec,
    files_are_whole,
    film,
    floors,
    run_trial,
)
from reward_agent.workers import Job, Pool

if TYPE_CHECKING:
    from reward_agent.optimise import Progress

MEASURED_SHARES = (0.2, 0.4, 0.6, 0.8)
"""Of the budget: where the metric of a candidate is measured on the way, for feedback."""
FILM_SECONDS = 600.0
"""That a clip may take: minutes on a machine that draws in software, and for ever in a driver that hangs."""


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
    measured_at: tuple[float, ...] = ()
    """Shares of the budget at which the metrics are measured on the way."""
    reported: bool = False
    """Score the policy on the report seeds as well, and keep it: it is trained again if its files are gone."""
    reference: str | Task | None = None
    """How a worker finds the task to train on, where it is not the run's."""

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

    def train(self, wanted: Iterable[Training]) -> dict[Trial, Trained | TrainingFault]:
        """Results in the order wanted, whatever order they ended in; those in the journal are taken from there."""
        wanted = tuple(wanted)
        results: dict[Trial, Trained | TrainingFault] = {}
        missing: dict[Trial, Training] = {}
        for training in wanted:
            found = self._recorded(training)
            if found is None:
                missing[training.trial] = training
            else:
                results[training.trial] = found
                self.events(_evaluated(training.trial, found, recorded=True))
        specs = {trial: self._spec(training) for trial, training in missing.items()}
        results |= run_trials(
            self.pool, specs, self.events, lambda trial, result: self.run.record(missing[trial].key, result)
        )
        return {training.trial: results[training.trial] for training in wanted}

    def film(self, folders: Mapping[Trial, Path], seed: int) -> None:
        """Leave a clip of the policy in each folder that has none of it yet; where none can be made, say why.

        Whatever is wrong (a driver that crashes or hangs, an encoder that fails) costs the clips and nothing else.
        """
        policies = {trial: sha256(folder / TENSORS) for trial, folder in folders.items()}
        marks = {trial: folder / f".{VIDEO}.of" for trial, folder in folders.items()}

        def is_missing(trial: Trial) -> bool:
            mark = marks[trial]
            return not ((folders[trial] / VIDEO).exists() and mark.exists() and mark.read_text() == policies[trial])

        def spec(folder: Path) -> VideoSpec:
            return VideoSpec(self.reference, folder, seed, folder / VIDEO, self.config.unsafe)

        jobs = {t: Job(film, spec(folder), seconds=FILM_SECONDS) for t, folder in folders.items() if is_missing(t)}
        try:
            for trial, lacking in self.pool.run(jobs):
                if lacking:
                    self.events(Noted(f"No video could be made: {lacking}"))
                else:
                    write_atomically(marks[trial], policies[trial].encode())
        except RewardAgentError as error:
            self.events(Noted(f"No video could be made: {error}"))

    def _recorded(self, training: Training) -> Trained | TrainingFault | None:
        found: Trained | TrainingFault | None = self.run.recorded(training.key, Trained | TrainingFault)
        if isinstance(found, Trained) and training.reported:
            return found if files_are_whole(self.run.folder / training.folder, found.files) else None
        return found

    def _spec(self, training: Training) -> TrialSpec:
        config, budget = self.config, self.config.steps(self.task)
        report = SeedPlan.report_seeds(config.seed, config.report_episodes) if training.reported else ()
        return TrialSpec(
            task=training.reference or self.reference,
            program=training.program,
            budget=budget,
            seed=training.seed,
            folder=self.run.folder / training.folder,
            optimiser=config.optimiser,
            preset=config.preset,
            settings=config.settings,
            measured_at=tuple(int(budget * share) for share in training.measured_at),
            select_seeds=tuple(int(s) for s in SeedPlan.select_seeds(config.seed, config.select_episodes)),
            report_seeds=tuple(int(s) for s in report),
            unsafe=config.unsafe,
            tensorboard=config.tensorboard,
            shaping=config.shaping if training.program.entry in (SUBGOALS, DESCRIBED) else {},
            judging=self._judging() if training.program.entry == DESCRIBED else None,
        )

    def _judging(self) -> Judging:
        """Each training has its part of the budget."""
        config = self.config
        share = Budget(
            None if config.max_tokens is None else config.max_tokens // config.final_seeds,
            None if config.max_usd is None else config.max_usd / config.final_seeds,
        )
        return Judging(str(config.llm), config.temperature, config.base_url, config.prices, config.prompts, share)


def run_trials(
    pool: Pool[Trial],
    specs: Mapping[Trial, TrialSpec],
    events: Events,
    ended: Callable[[Trial, Trained | TrainingFault], None] | None = None,
) -> dict[Trial, Trained | TrainingFault]:
    """Train side by side, tell of it, and hand each result to `ended` before anyone else hears of it."""
    # threads change no result, only how cores are shared
    threads = max(1, pool.jobs // max(1, len(specs)))
    jobs = {
        trial: Job(run_trial, replace(spec, settings={"threads": threads, **spec.settings}))
        for trial, spec in specs.items()
    }
    results: dict[Trial, Trained | TrainingFault] = {}

    def progress(trial: Trial, at: Progress | Scored) -> None:
        if isinstance(at, Scored):
            events(Scoring(trial, at.done, at.episodes, at.seconds_left))
            return
        told = (at.steps, at.budget, at.steps_per_second, at.episode_return, at.episode_length, at.terms)
        events(TrainingProgress(trial, *told))

    def started(trial: Trial) -> None:
        events(TrainingStarted(trial, specs[trial].budget, usual(specs[trial].optimiser).doing))

    running = pool.run(jobs, progress, started)
    with closing(running):
        for trial, result in running:
            if ended:
                ended(trial, result)
            results[trial] = result
            events(_evaluated(trial, result, recorded=False))
    return {trial: results[trial] for trial in specs}


def run_floors(pool: Pool[Trial], spec: FloorsSpec) -> dict[str, Scores]:
    """Scores of doing nothing and of acting at random, by name: `no-op` and `random`."""
    found: dict[str, Scores] = next(value for _, value in pool.run({Trial("final", 0, -1): Job(floors, spec)}))
    return found


def quoted(
    results: Iterable[Trained | TrainingFault], below: Mapping[str, Scores], metrics: Sequence[Metric]
) -> dict[str, Interval]:
    """The score of a program over its trainings, on the report seeds; nothing without metrics, or where all failed.

    A training in which the program failed leaves no policy, and counts as doing nothing does: left out, a program
    that fails in two of three trainings would be quoted by its one success.
    """
    results = tuple(results)
    if not metrics:
        return {}
    scores = [result.report if isinstance(result, Trained) else below["no-op"] for result in results]
    return intervals_of(scores, metrics) if any(isinstance(result, Trained) for result in results) else {}


def _evaluated(trial: Trial, result: Trained | TrainingFault, *, recorded: bool) -> Evaluated:
    return Evaluated(trial, result if isinstance(result, TrainingFault) else result.outcome, recorded)

"""The values of a chronicle: a run, its rounds, their candidates, the attempts at each; see the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from reward_agent.config import RunConfig
from reward_agent.history import At, Judgement, Outcome, Whose, crowned, judged_by
from reward_agent.invocation import resume_command
from reward_agent.left_open import STAND_IN
from reward_agent.llm import Spent
from reward_agent.messages import Key, Reply
from reward_agent.optimise import Curves
from reward_agent.program import Fault, Program, TrainingFault
from reward_agent.result import Result
from reward_agent.store import Manifest
from reward_agent.trial import CHECKPOINT, CURVES, VIDEO, Scores, Trained, read_curves
from reward_agent.variant import SPOKEN

State = Literal["running", "waiting", "stopped", "finished"]
Standing = Literal["asked", "faulty", "ready", "training", "failed", "trained"]


@dataclass(frozen=True)
class AttemptRecord:
    """One request and what became of its reply."""

    number: int
    stage: str
    """`reply` where a program is asked for."""
    reply: Reply | None
    """None of a reward that the user brought."""
    program: Program | None
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]
    vetted: bool
    """Check and probe have looked at it."""
    prompt: Path | None
    """`messages.json`: what was asked, where the file is there."""

    @property
    def ok(self) -> bool:
        """Its program may be trained."""
        return self.vetted and self.program is not None and not self.faults


def name_of(at: At) -> str:
    """Of a candidate: counted from 0, as its folder is."""
    return f"iteration {at[0]}, candidate {at[1]}"


@dataclass(frozen=True)
class CandidateRecord:
    iteration: int
    index: int
    attempts: tuple[AttemptRecord, ...]
    trained: Trained | TrainingFault | None
    """None before its training has ended."""
    words: str
    words_of: Whose
    folder: Path
    parent: At | None
    """The best of the rounds before."""
    parent_program: Program | None

    @property
    def whose_words(self) -> str:
        """As a heading says it."""
        return SPOKEN[self.words_of].capitalize()

    @property
    def at(self) -> At:
        return self.iteration, self.index

    @property
    def program(self) -> Program | None:
        """The program that may be trained; else the last that could be read in a reply."""
        programs = [attempt.program for attempt in self.attempts if attempt.program]
        return next((a.program for a in reversed(self.attempts) if a.ok), programs[-1] if programs else None)

    @property
    def outcome(self) -> Outcome | None:
        return self.trained.outcome if isinstance(self.trained, Trained) else None

    @property
    def fault(self) -> TrainingFault | None:
        """Why its training failed."""
        return self.trained if isinstance(self.trained, TrainingFault) else None

    @property
    def scores(self) -> Scores:
        """One a select episode, by metric."""
        return self.trained.select if isinstance(self.trained, Trained) else {}

    @property
    def standing(self) -> Standing:
        """How far it is: `faulty` when its last reply cannot be trained on, `ready` before its training begins."""
        if self.trained is not None:
            return "failed" if self.fault else "trained"
        if any(attempt.ok for attempt in self.attempts):
            return "training" if (self.folder / CHECKPOINT).is_dir() else "ready"
        return "faulty" if self.attempts and self.attempts[-1].faults else "asked"

    @property
    def video(self) -> Path | None:
        return there(self.folder / VIDEO)

    @cached_property
    def curves(self) -> Curves | None:
        """Of its training, from `curves.npz`."""
        return read_curves(self.folder / CURVES)

    @property
    def steps(self) -> int:
        """Simulated for its training."""
        return self.outcome.steps if self.outcome else self.fault.steps if self.fault else 0

    @property
    def seconds(self) -> float:
        """That its training took."""
        return self.outcome.seconds if self.outcome else 0.0


@dataclass(frozen=True)
class Round:
    iteration: int
    candidates: tuple[CandidateRecord, ...]
    judgement: Judgement | None
    """None before the judge has compared, and where no judge does."""
    best_so_far: At | None
    """Of this round and those before, by the judge where one compares, else by the metric."""
    folder: Path


@dataclass(frozen=True)
class Retraining:
    """A training from scratch at the end of a run."""

    of: Literal["final", "expert"]
    index: int
    trained: Trained | TrainingFault
    folder: Path

    @cached_property
    def curves(self) -> Curves | None:
        return read_curves(self.folder / CURVES)


@dataclass(frozen=True)
class Chronicle:
    folder: Path
    manifest: Manifest
    config: RunConfig
    """As the next sitting goes by it."""
    state: State
    waits_for: str
    """What it waits for from people, as `judgement`; empty where it does not."""
    updated: str
    """When the journal was last written; UTC, ISO 8601."""
    variant: str
    """What makes it another row of a table than others by its method."""
    rounds: tuple[Round, ...]
    best: At | None
    """Of all rounds, by the judge where one compares, else by the metric."""
    finals: tuple[Retraining, ...]
    replies: Mapping[Key, Reply]
    """Of all models: of the one that writes, of the judge's; in the order of the journal."""
    spent: Spent
    layers: tuple[tuple[str, ...], ...]
    """Of the sandbox: in the first sitting, and in each that had others than the one before."""
    result: Result | None

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def task(self) -> str:
        return self.manifest.task

    @property
    def instruction(self) -> str:
        return self.manifest.instruction

    @property
    def method(self) -> str:
        return self.config.method

    @property
    def judge(self) -> str | None:
        """As it was named on the command line; None where the metric chooses."""
        return self.config.judge

    @property
    def judged_by(self) -> str:
        """Who compared so far, or is named to; empty where the metric chooses."""
        return judged_by(self.judgements.values()) or self.config.judge or ""

    @property
    def blind(self) -> bool:
        """A judge still compares, and whoever looks on may be the judge: no score of a candidate should be shown.

        The metric that stands in for a person has seen them all.
        """
        return self.result is None and (self.config.judge or STAND_IN).partition(":")[0] != STAND_IN

    @property
    def llm(self) -> str | None:
        return self.config.llm

    @property
    def created(self) -> str:
        """UTC, ISO 8601."""
        return self.manifest.created

    @property
    def versions(self) -> Mapping[str, str]:
        return self.manifest.versions

    @property
    def best_is_preferred(self) -> bool:
        """False where a judge compared and never preferred any: `best` is the first that it saw."""
        return not self.judgements or crowned(self.judgements) is not None

    @property
    def judgements(self) -> dict[int, Judgement]:
        """By iteration."""
        return {each.iteration: each.judgement for each in self.rounds if each.judgement}

    @property
    def candidates(self) -> tuple[CandidateRecord, ...]:
        """Of all rounds, in order."""
        return tuple(candidate for each in self.rounds for candidate in each.candidates)

    def candidate(self, at: At | None) -> CandidateRecord | None:
        return next((candidate for candidate in self.candidates if candidate.at == at), None)

    @property
    def steps(self) -> int:
        """Simulated so far for trainings that ended, those from scratch as well."""
        ends = [final.trained for final in self.finals]
        counted = sum(e.steps if isinstance(e, TrainingFault) else e.outcome.steps for e in ends)
        return counted + sum(candidate.steps for candidate in self.candidates)

    @property
    def seconds(self) -> float:
        """That trainings took, those side by side added up."""
        finals = sum(f.trained.outcome.seconds for f in self.finals if isinstance(f.trained, Trained))
        return finals + sum(candidate.seconds for candidate in self.candidates)

    @property
    def best_video(self) -> Path | None:
        """Of the policy that a finished run kept."""
        return there(self.folder / "best" / VIDEO)

    @property
    def resume(self) -> str:
        """The command that goes on with it."""
        return resume_command(self.folder)


def there(path: Path) -> Path | None:
    """The path, where a file is."""
    return path if path.is_file() else None

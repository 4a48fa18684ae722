"""What happened so far in a run: the candidates of each iteration, as frozen values a method can read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from reward_agent.messages import Key, Message, Reply
from reward_agent.program import Fault, Program

At = tuple[int, int]
"""Which candidate: `(iteration, candidate)`."""


class Interval(NamedTuple):
    """A mean with its 95 % interval; `scoring.confidence_interval` says of what kind. The ends are nan where there is
    none."""

    mean: float
    low: float
    high: float

    @classmethod
    def alone(cls, score: float) -> Interval:
        """The score of one episode, which has no interval."""
        return cls(score, math.nan, math.nan)

    @property
    def single(self) -> bool:
        """A score without an interval, as of one episode."""
        return math.isnan(self.low)

    def in_data(self) -> dict[str, float | None]:
        """By name, as strict JSON can hold it: None where there is no number."""
        return {name: part if math.isfinite(part) else None for name, part in self._asdict().items()}


@dataclass(frozen=True)
class Outcome:
    """What training a candidate and evaluating it on the select seeds showed."""

    metrics: dict[str, Interval]
    """By metric name; the task's first metric is the key of selection."""
    terms: dict[str, tuple[float, ...]]
    """Each term's mean per step at about ten points of the training."""
    episode_return: tuple[float, ...]
    """Of the reward trained on, at the same points."""
    episode_length: tuple[float, ...]
    task_score: tuple[float, ...]
    """The graded metric (`Task.graded`) at points of the training where it was measured, and at its end; nothing of a
    task without metrics."""
    steps: int
    seconds: float
    bad_rewards: int = 0
    success: tuple[float, ...] = ()
    """Share of successes at the points of `task_score`, where the first metric is a success; else nothing."""
    measured_at: tuple[int, ...] = ()
    """Environment steps after which each point of `task_score` was measured."""
    reached: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Of the episodes that ended at the points of `terms`, the share that had reached each subgoal; nan where none had
    ended. Nothing where no subgoals are told."""
    by: Literal["training", "practice", "planner", "nothing"] = "training"
    """What acted on the reward: a policy that was trained on it; a planner that practised for `steps` that it imagined,
    and then played the episodes that are scored; a planner in one episode, a look, of `steps`. Of a program that
    nothing has acted on yet there are no terms, and no metric is a number."""
    stopped_of: float | None = None
    """Seconds that the planner's episode lasts, where it was stopped before: `seconds` of them were played, and no
    metric is a number. None where it came to its end, and of trainings."""

    @property
    def measured(self) -> bool:
        """Something acted on the reward."""
        return self.by != "nothing"

    @property
    def planned(self) -> bool:
        """A planner acted on the reward: no policy was trained."""
        return self.by in ("practice", "planner")

    @property
    def scored(self) -> bool:
        """Whole episodes tell how good it is: it has a score, which nothing has in a task without metrics."""
        return self.measured and self.stopped_of is None and bool(self.metrics)

    @property
    def unscored(self) -> Outcome:
        """The same without any metric, for whom no score may reach."""
        return replace(self, metrics={}, task_score=(), success=())

    def score(self) -> tuple[float, ...]:
        """Metric means in order: compares as the key of selection. One that is no number is the worst of all."""
        means = (interval.mean for interval in self.metrics.values())
        return tuple(-math.inf if math.isnan(mean) else mean for mean in means)


@dataclass(frozen=True)
class Attempt:
    """One reply and what became of it before training."""

    key: Key
    messages: tuple[Message, ...]
    reply: Reply
    program: Program | None
    """None when no program could be read from the reply."""
    faults: tuple[Fault, ...] = ()
    """Empty when the program may be trained."""
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.program is not None and not self.faults


@dataclass(frozen=True)
class Candidate:
    iteration: int
    index: int
    attempts: tuple[Attempt, ...] = ()
    outcome: Outcome | Fault | None = None
    """A `Fault` of stage `optimise` when the program failed while training; None before."""
    words: str = ""
    """What a person (or, so labelled, an automatic text) said of it."""

    @property
    def program(self) -> Program | None:
        """The program that may be trained, if any."""
        return self.attempts[-1].program if self.attempts and self.attempts[-1].ok else None


@dataclass(frozen=True)
class Preference:
    """One comparison that a judge made."""

    first: At
    second: At
    answer: Literal["first", "second", "tie", "skip"]


Whose = Literal["person", "judge", "nobody"]
"""Words on a candidate are a person's, or those of a judge that is none (as a model), or made from the outcome."""


@dataclass(frozen=True)
class Remark:
    """Words on one candidate of a round."""

    candidate: int
    text: str
    rater: str = ""
    """Who said it."""
    by: Whose = "person"
    """`judge` where no person did."""


CHAMPION = -1
"""Stands in a round's rankings for the best of the rounds before."""


@dataclass(frozen=True)
class Judgement:
    """What comparing the trained candidates of a round came to. Candidates are told by their index in the round."""

    judge: str
    """Who judged, as `metric` or `vlm:openai:MODEL`."""
    best: int | None
    """None where none was preferred."""
    worst: int | None
    beats_champion: bool | None
    """Whether `best` is preferred to the best of the rounds before; None where there was none or no `best`."""
    queries: int
    """Comparisons that were really made."""
    preferences: tuple[Preference, ...] = ()
    rankings: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    """By rater, groups from best to worst; those of one group are tied, and who is in none was left out."""
    words: str = ""
    """Why none is right, as a person said."""
    remarks: tuple[Remark, ...] = ()
    agreement: float | None = None
    """Kendall's W of several raters; or the share of pairs that were answered alike in both orders."""

    def whose(self, candidate: int) -> Whose:
        """Whose words those of `said_of` are: a person's where a person said any of them."""
        by = {remark.by for remark in self.remarks if remark.candidate == candidate}
        return "judge" if by == {"judge"} and not self.words.strip() else "person"

    def verdict_on(self, candidate: int) -> Literal["best", "worst", ""]:
        """Nothing of who is neither."""
        return "best" if candidate == self.best else "worst" if candidate == self.worst else ""

    def said_of(self, candidate: int) -> str:
        """What was said of one candidate, and of the round where none is right."""
        texts = [remark.text for remark in self.remarks if remark.candidate == candidate]
        return "\n\n".join(text.strip() for text in [*texts, self.words] if text.strip())


def crowned(judgements: Mapping[int, Judgement], before: int | None = None) -> At | None:
    """The candidate that a judge preferred to all that it saw, in iterations before `before` where given; None where it
    never preferred any."""
    best: At | None = None
    for iteration, judgement in sorted(judgements.items()):
        if before is not None and iteration >= before:
            break
        if judgement.best is not None and judgement.beats_champion is not False:
            best = (iteration, judgement.best)
    return best


def judged_by(judgements: Iterable[Judgement]) -> str:
    """Who compared, as `metric`, or `metric in 2 rounds, page in 1 round` where it was not the same throughout."""
    counts = Counter(judgement.judge for judgement in judgements)
    if len(counts) < 2:
        return "".join(counts)
    return ", ".join(f"{judge} in {count} round{'s' if count > 1 else ''}" for judge, count in counts.items())


@dataclass(frozen=True)
class History:
    candidates: dict[At, Candidate] = field(default_factory=dict)
    judgements: dict[int, Judgement] = field(default_factory=dict)
    """By iteration, where a judge compares; then nobody else says which is best."""

    def iteration(self, number: int) -> tuple[Candidate, ...]:
        return tuple(c for (i, _), c in sorted(self.candidates.items()) if i == number)

    def trained(self, number: int) -> tuple[tuple[Candidate, Outcome], ...]:
        """Those of an iteration that something acted on, with what it showed."""
        return tuple((c, outcome) for c, outcome in self.evaluated() if c.iteration == number)

    def evaluated(self) -> Iterator[tuple[Candidate, Outcome]]:
        for _, candidate in sorted(self.candidates.items()):
            if isinstance(candidate.outcome, Outcome):
                yield candidate, candidate.outcome

    def best(self, before: int | None = None) -> Candidate | None:
        """The candidate with the highest score, the earliest on ties; of iterations before `before` where given.

        Where none is scored it is the latest that something acted on. Where a judge compares, it is the judge's.
        """
        if self.judgements:
            return self._champion(before)
        seen = [
            (candidate, outcome)
            for candidate, outcome in self.evaluated()
            if outcome.measured and (before is None or candidate.iteration < before)
        ]
        if scored := [pair for pair in seen if pair[1].scored]:
            return max(scored, key=lambda pair: pair[1].score())[0]
        return seen[-1][0] if seen else None

    def _champion(self, before: int | None) -> Candidate | None:
        """The one that the judge preferred; where none ever was, the first that was judged."""
        best = crowned(self.judgements, before)
        if best is not None:
            return self.candidates[best]
        return next((c for c, outcome in self.evaluated() if outcome.measured and c.iteration in self.judgements), None)

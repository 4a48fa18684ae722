"""`--judge metric[:SETTINGS]`: a metric stands in for a person, as in ICPL's paper; one that never errs unless told to.

SETTINGS are `NAME=VALUE` with commas between, as `metric:mistakes=0.2,raters=3`; a word alone is the metric's name. How
raters err is `noise`; what else a judge may see than the score of whole episodes, `course`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Literal

import numpy as np

from reward_agent.checked import Range, Share, read
from reward_agent.errors import UsageError, unknown_name
from reward_agent.feedback import deciding
from reward_agent.history import At, Judgement
from reward_agent.judges import Desk, Entrant, Question
from reward_agent.judges.course import EPISODES, gains, handed_over, recent
from reward_agent.judges.noise import Key, Noise, judged
from reward_agent.optimise.policy import load_policy
from reward_agent.scoring import SeedPlan
from reward_agent.task import Metric, Task


@dataclass(frozen=True)
class StandIn(Noise):
    """What a stand-in goes by, and how it errs.

    Raises:
        UsageError: a value is out of its range, or two do not go together.
    """

    metric: str = ""
    """By name; the one that decides elsewhere (`feedback.deciding`) unless given."""
    clips: Annotated[int, Range(0)] = 0
    """Goes by the first so many select episodes alone, as who watches so many clips; 0 for all."""
    segment: Annotated[float, Range(0, 1, above=True)] = 1.0
    """Sees this first share of each episode."""
    by: Literal["return", "regret"] = "return"
    """Goes by what the segment scored (partial return), or also by what could still be had from where it leads, of two
    models of what people prefer (Knox et al., 2022)."""
    myopia: Share = 0.0
    """How much less the first step weighs than the last."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by == "regret" and self.segment == 1:
            raise UsageError(
                "Nothing is left to regret where a judge sees whole episodes: `by=regret` wants a segment as well, as "
                "`--judge metric:by=regret,segment=0.5`."
            )
        if self.by == "regret" and self.myopia:
            raise UsageError(
                "A judge who looks ahead is not short-sighted: set either `by=regret` or `myopia`, as "
                "`--judge metric:myopia=0.9`."
            )

    @property
    def plays(self) -> bool:
        """It needs more than the scores of whole episodes: policies are played again."""
        return self.segment < 1 or self.myopia > 0


@dataclass(frozen=True)
class MetricJudge:
    """Prefers what has the higher score."""

    settings: StandIn
    wants_video: bool = False
    model: str | None = None

    @property
    def name(self) -> str:
        usual = StandIn()
        changed = {f.name: getattr(self.settings, f.name) for f in fields(StandIn)}
        changed = {name: value for name, value in changed.items() if value != getattr(usual, name)}
        first = [changed.pop("metric")] if self.settings.metric else []
        said = ",".join([*first, *(f"{name}={value}" for name, value in changed.items())])
        return f"metric:{said}" if said else "metric"

    def missing(self, task: Task) -> str | None:
        names = [metric.name for metric in task.metrics]
        if not names:
            return f"{task.id} has no metric that could stand in for a person: name another judge, as `--judge page`."
        if self.settings.metric and self.settings.metric not in names:
            return str(unknown_name(f"metric of {task.id}", self.settings.metric, names))
        return None

    def compare(self, question: Question, desk: Desk) -> Judgement:
        return judged(question, self.name, self.settings, self._values(question))

    def _values(self, question: Question) -> Mapping[At, Key]:
        """What is known of each, the metric that decides first."""
        everyone = [*question.entrants, *([question.champion] if question.champion else [])]
        metric = self._metric(question, everyone)
        known = {entrant.at: self._key(entrant, metric) for entrant in everyone}
        if not self.settings.plays:
            return known
        best = max(everyone, key=lambda entrant: known[entrant.at])
        seen = {entrant.at: self._seen(question, entrant, best, metric) for entrant in everyone}
        return {at: (_ordered(value),) for at, value in seen.items()}

    def _metric(self, question: Question, everyone: list[Entrant]) -> Metric:
        if self.settings.metric:
            return next(metric for metric in question.task.metrics if metric.name == self.settings.metric)
        found = deciding(question.task, *(entrant.outcome for entrant in everyone))
        assert found is not None, "a task without a metric is refused before"
        return found

    def _key(self, entrant: Entrant, metric: Metric) -> Key:
        if self.settings.clips:
            return (_ordered(float(np.mean(entrant.scores[metric.name][: self.settings.clips]))),)
        value = _ordered(entrant.outcome.metrics[metric.name].mean)
        return (value,) if self.settings.metric else (value, *entrant.outcome.score())

    def _seen(self, question: Question, entrant: Entrant, best: Entrant, metric: Metric) -> float:
        task, share = question.task, self.settings.segment
        act = load_policy(entrant.folder)
        seeds = SeedPlan.select_seeds(question.seed, self.settings.clips or EPISODES)
        if self.settings.by == "regret":
            return float(handed_over(task, act, load_policy(best.folder), seeds, metric, share).mean())
        return float(recent(gains(task, act, seeds, metric, share), self.settings.myopia).mean())


def _ordered(value: float) -> float:
    """What is no number is the worst of all."""
    return -math.inf if math.isnan(value) else value


def make(setting: str) -> MetricJudge:
    """`setting` as the module says, or nothing.

    Raises:
        UsageError: a setting is unknown, set twice, or out of its range.
    """
    words = [word.strip() for word in setting.split(",")] if setting else []
    words = [f"metric={word}" if word.isidentifier() else word for word in words]
    if unread := [word for word in words if "=" not in word]:
        raise UsageError(
            f"`metric:{setting}` says nothing by {unread[0]!r}: write `metric`, `metric:NAME` with the name of a "
            "metric, or settings, as `metric:mistakes=0.2,raters=3`."
        )
    return MetricJudge(StandIn(**read(StandIn(), words)))

"""`--judge factors:A,B,C`: a hierarchy of factors, the most important first, after HERON (Bukharin et al., 2023).

Two are compared by the first factor; where they differ by no more than its margin, by the next, and so on. A factor is
a metric of the task or one of `DERIVED`, which any task has. `NAME:MARGIN` gives a margin in the factor's own unit, or
as `10%` of the range within the round; `-NAME` prefers the lower. Between factors stands a comma or, in quotes, `>`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from reward_agent.envs.episodes import task_schema
from reward_agent.errors import UsageError, unknown_name
from reward_agent.history import Judgement
from reward_agent.judges import Desk, Entrant, Question
from reward_agent.judges.course import EPISODES
from reward_agent.judges.pairs import Answer, best_and_worst
from reward_agent.optimise.policy import load_policy
from reward_agent.schema import ActionSpec
from reward_agent.scoring import SeedPlan, play
from reward_agent.task import Episode, Task

FACTOR = re.compile(r"(?P<sign>-?)(?P<name>[A-Za-z_]\w*)(?::(?P<margin>[^%]+)(?P<percent>%?))?")


def _effort(episode: Episode, spec: ActionSpec) -> float:
    """Minus the mean squared action, or minus the share of steps that did not idle where actions are numbered."""
    used = episode.action != spec.idle if spec.discrete else episode.action**2
    return -float(np.mean(used))


def _smoothness(episode: Episode, spec: ActionSpec) -> float:
    """Minus the mean squared change of the action from step to step; minus the share of steps that changed a number."""
    change = np.diff(episode.action, axis=0)
    if not len(change):
        return 0.0
    return -float(np.mean(change != 0 if spec.discrete else change**2))


def _length(episode: Episode, spec: ActionSpec) -> float:
    """Steps until the episode ended."""
    return float(len(episode.action))


DERIVED: Mapping[str, Callable[[Episode, ActionSpec], float]] = {
    "length": _length,
    "effort": _effort,
    "smoothness": _smoothness,
}
"""By name; higher is better, so `effort` prefers little of it. Episodes are played again for them."""


@dataclass(frozen=True)
class Factor:
    name: str
    margin: float = 0.0
    relative: bool = False
    """The margin is a share of the range within the round."""
    lower: bool = False
    """The lower is preferred."""

    def __str__(self) -> str:
        margin = f"{self.margin * 100:g}%" if self.relative else f"{self.margin:g}"
        return f"{'-' if self.lower else ''}{self.name}{f':{margin}' if self.margin else ''}"


@dataclass(frozen=True)
class FactorJudge:
    """Goes down a hierarchy of factors."""

    factors: tuple[Factor, ...]
    wants_video: bool = False
    model: str | None = None

    @property
    def name(self) -> str:
        return f"factors:{','.join(map(str, self.factors))}"

    def missing(self, task: Task) -> str | None:
        known = [*(metric.name for metric in task.metrics), *DERIVED]
        unknown = [factor.name for factor in self.factors if factor.name not in known]
        return str(unknown_name(f"factor of {task.id}", unknown[0], known)) if unknown else None

    def compare(self, question: Question, desk: Desk) -> Judgement:
        everyone = [*question.entrants, *([question.champion] if question.champion else [])]
        values = {entrant.at: self._values(question, entrant) for entrant in everyone}
        margins = [_margin(factor, [each[n] for each in values.values()]) for n, factor in enumerate(self.factors)]

        def prefer(first: Entrant, second: Entrant) -> Answer:
            for left, right, margin in zip(values[first.at], values[second.at], margins, strict=True):
                if left != right and abs(left - right) > margin:
                    return "first" if left > right else "second"
            return "tie"

        return best_and_worst(question, self.name, prefer)

    def _values(self, question: Question, entrant: Entrant) -> list[float]:
        """Of each factor, the higher the better; what is no number is the worst of all."""
        metrics = {metric.name for metric in question.task.metrics}
        wanted = [factor.name for factor in self.factors if factor.name not in metrics]
        derived = _derived(question, entrant, wanted) if wanted else {}
        found = []
        for factor in self.factors:
            value = derived[factor.name] if factor.name in derived else entrant.outcome.metrics[factor.name].mean
            found.append(-math.inf if math.isnan(value) else -value if factor.lower else value)
        return found


def _derived(question: Question, entrant: Entrant, names: list[str]) -> dict[str, float]:
    """Means over the first select episodes, which the saved policy plays again."""
    spec = task_schema(question.task).action
    found: dict[str, list[float]] = {name: [] for name in names}

    def measure(index: int, episode: Episode) -> None:
        for name, values in found.items():
            values.append(DERIVED[name](episode, spec))

    seeds = SeedPlan.select_seeds(question.seed, EPISODES)
    play(question.task, load_policy(entrant.folder), seeds, set(), measure)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _margin(factor: Factor, values: list[float]) -> float:
    if not factor.relative:
        return factor.margin
    known = [value for value in values if math.isfinite(value)]
    return factor.margin * (max(known) - min(known)) if known else 0.0


def make(setting: str) -> FactorJudge:
    """`setting` as the module says.

    Raises:
        UsageError: it names no factor, one twice, or a margin that is none.
    """
    example = "as `--judge factors:success,-effort:0.1` or, in quotes, `--judge 'factors:distance:10%>smoothness'`."
    words = [word.strip() for word in re.split("[,>]", setting)]
    if words == [""]:
        raise UsageError(f"The judge `factors` wants to be told which, the most important first, {example}")
    factors = [_factor(word, example) for word in words]
    names = [factor.name for factor in factors]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"The factor {twice[0]!r} is named twice: leave one out.")
    return FactorJudge(tuple(factors))


def _factor(word: str, example: str) -> Factor:
    read = FACTOR.fullmatch(word)
    if read is None:
        raise UsageError(f"{word!r} is no factor: write its name, and a margin where it has one, {example}")
    relative = bool(read["percent"])
    try:
        margin = float(read["margin"] or 0.0) / (100.0 if relative else 1.0)
    except ValueError:
        margin = math.nan
    if not 0 <= margin < math.inf:
        raise UsageError(
            f"The margin of {read['name']!r} must be a number of at least 0, or a percentage of the range in the "
            f"round, not {read['margin']!r}."
        )
    return Factor(read["name"], margin, relative, lower=bool(read["sign"]))

"""`--judge metric`: a metric stands in for a person, who never errs: the order of true values, as in ICPL's paper."""

from __future__ import annotations

from dataclasses import dataclass

from reward_agent.errors import UsageError, unknown_name
from reward_agent.history import Judgement
from reward_agent.judges import Desk, Entrant, Question
from reward_agent.judges.pairs import Answer, best_and_worst
from reward_agent.llm import Options
from reward_agent.task import Task


@dataclass(frozen=True)
class MetricJudge:
    """Prefers what has the higher score."""

    metric: str = ""
    """By name; the one that decides elsewhere unless given."""
    wants_video: bool = False
    model: str | None = None

    @property
    def name(self) -> str:
        return f"metric:{self.metric}" if self.metric else "metric"

    def missing(self, task: Task) -> str | None:
        names = [metric.name for metric in task.metrics]
        if not names:
            return f"{task.id} has no metric that could stand in for a person: name another judge, as `--judge page`."
        if self.metric and self.metric not in names:
            return str(unknown_name(f"metric of {task.id}", self.metric, names))
        return None

    def compare(self, question: Question, desk: Desk) -> Judgement:
        return best_and_worst(question, self.name, self._prefer)

    def _prefer(self, first: Entrant, second: Entrant) -> Answer:
        left, right = (self._value(entrant) for entrant in (first, second))
        if left == right:
            return "tie"
        return "first" if left > right else "second"

    def _value(self, entrant: Entrant) -> tuple[float, ...]:
        return (entrant.outcome.metrics[self.metric].mean,) if self.metric else entrant.outcome.score()


def make(setting: str, options: Options) -> MetricJudge:
    """`setting` is the metric's name, or nothing.

    Raises:
        UsageError: it is none.
    """
    if setting and not setting.isidentifier():
        raise UsageError(f"`metric:{setting}` names no metric; `metric` or `metric:NAME` does.")
    return MetricJudge(setting)

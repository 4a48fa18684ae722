"""A judge of a user's own, in a file: prefers the policy that its reward's last total is greater for."""

from __future__ import annotations

from dataclasses import dataclass

from reward_agent.history import Judgement
from reward_agent.judges import Desk, Entrant, Question
from reward_agent.judges.pairs import Answer, best_and_worst
from reward_agent.task import Task


@dataclass(frozen=True)
class NearJudge:
    name: str = "near"
    wants_video: bool = False
    model: str | None = None

    def missing(self, task: Task) -> str | None:
        return None

    def compare(self, question: Question, desk: Desk) -> Judgement:
        assert not any(entrant.scores for entrant in question.entrants), "there is no metric"
        return best_and_worst(question, self.name, self._prefer)

    def _prefer(self, first: Entrant, second: Entrant) -> Answer:
        totals = [entrant.outcome.episode_return[-1] for entrant in (first, second)]
        return "tie" if totals[0] == totals[1] else "first" if totals[0] > totals[1] else "second"


def make(setting: str) -> NearJudge:
    return NearJudge()

"""Eureka (Ma et al., ICLR 2024): K programs a round, and a reflection on the best from its training statistics.

Departures: faults are repaired at once instead of wasting the sample; the best of *all* rounds is what the next one
improves (the paper goes on from the best of the last round); what was tried since without beating it is listed, so that
no two rounds get the same feedback. Where no round is scored (looks of a person that were cut short) the latest is what
the next one goes on from. The one number told, `task_score`, is of the metric that decides between the
programs of a prompt (`feedback.deciding`).
"""

from __future__ import annotations

from typing import ClassVar

from reward_agent.feedback import deciding, reflection, scored
from reward_agent.history import Candidate, History, Outcome
from reward_agent.messages import Message
from reward_agent.methods.base import Rounds, chosen, noticed, shown
from reward_agent.task import Metric, Task

MAX_TRIED = 5
"""Later rounds that are listed."""


class Eureka(Rounds):
    """Evolve rewards from per-term statistics and the metric."""

    name: ClassVar[str] = "eureka"
    sees: ClassVar[str] = "metric, terms, episode length"

    def messages(self, task: Task, history: History, iteration: int) -> tuple[Message, ...]:
        opening = self.opening(task)
        if iteration == 0:
            return opening
        best = history.best(before=iteration)
        if best is None:
            return self.after_failure(opening, history, iteration)
        assert isinstance(best.outcome, Outcome)
        since = [chosen(history, number) for number in range(max(best.iteration + 1, iteration - MAX_TRIED), iteration)]
        others = [candidate for candidate in since if candidate is not None]
        acted_on = [candidate.outcome for candidate in others if isinstance(candidate.outcome, Outcome)]
        metric = deciding(task, best.outcome, *acted_on)
        said = self.templates.render(
            "eureka/reflection.jinja",
            initial=self.is_initial(best),
            steps=f"{best.outcome.steps:,}",
            planned=best.outcome.planned,
            practised=best.outcome.by == "practice",
            scored=best.outcome.scored,
            reflection=reflection(metric, best.outcome),
            noticed=noticed(best),
            tried=[_tried(metric, candidate) for candidate in others if _is_told(candidate, scored=True)],
            unscored=[_tried(metric, candidate) for candidate in others if _is_told(candidate, scored=False)],
            score=scored(metric, best.outcome),
        )
        return (*opening, Message("assistant", shown(best)), Message("user", said))


def _is_told(candidate: Candidate, *, scored: bool) -> bool:
    """Whether it stands among those that did not beat the best, or among those that were acted on and not scored."""
    outcome = candidate.outcome
    if not isinstance(outcome, Outcome):
        return scored
    return outcome.measured and outcome.scored == scored


def _tried(metric: Metric | None, candidate: Candidate) -> str:
    """One line on the best of a round."""
    outcome = candidate.outcome
    if not isinstance(outcome, Outcome):
        return f"round {candidate.iteration + 1}: no program that could be trained on"
    ends = ", ".join(f"{name} {values[-1]:.3g}" for name, values in outcome.terms.items() if values)
    return f"round {candidate.iteration + 1}: {scored(metric, outcome)}; its terms in the end: {ends}"

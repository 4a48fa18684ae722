"""Text2Reward (Xie et al., ICLR 2024): a reward from a class abstraction of the world, then feedback in words.

Zero-shot, or few-shot with expert rewards of the most similar tasks (`fewshot.py`; the paper shows one). Every round
replays the whole conversation of programs and words. Two departures from the paper: where no person gives words,
automatic ones written from the outcome take their place, labelled in the text itself; and a line says which round did
best.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from reward_agent.history import Candidate, History, Outcome, crowned
from reward_agent.messages import Message
from reward_agent.methods import Action, Words
from reward_agent.methods.base import Rounds, chosen, failure, noticed, shown
from reward_agent.task import Task


class Text2Reward(Rounds):
    """From the task (and examples), then improved by what a person says of the trained policy."""

    name: ClassVar[str] = "text2reward"
    sees: ClassVar[str] = "words (automatic ones tell of metric and terms), and which round did best"
    shows_examples: ClassVar[bool] = True
    shows_words: ClassVar[bool] = True
    compares: ClassVar[Literal["always", "may", "never"]] = "may"

    def messages(self, task: Task, history: History, iteration: int) -> tuple[Message, ...]:
        found = list(self.opening(task))
        for number in range(iteration):
            candidate = chosen(history, number)
            if candidate is not None:
                found.append(Message("assistant", shown(candidate)))
                found.append(Message("user", self._feedback(history, candidate)))
        return tuple(found)

    def between(self, task: Task, history: History, iteration: int) -> Action | None:
        """Words are wanted on each round's program that was trained, but for the last: nobody would read those."""
        candidate = chosen(history, iteration)
        if candidate is None or candidate.words or iteration + 1 >= self.settings.rounds:
            return None
        return Words(iteration, candidate.index) if isinstance(candidate.outcome, Outcome) else None

    def _feedback(self, history: History, candidate: Candidate) -> str:
        outcome = candidate.outcome if isinstance(candidate.outcome, Outcome) else None
        best = history.best(before=candidate.iteration + 1) if candidate.iteration > 0 else None
        so_far = [came_of for each, came_of in history.evaluated() if each.iteration <= candidate.iteration]
        compared = all(each.scored for each in so_far)
        if candidate.iteration in history.judgements:
            compared = crowned(history.judgements, candidate.iteration + 1) is not None
        return self.templates.render(
            "text2reward/feedback.jinja",
            initial=self.is_initial(candidate),
            described="" if outcome else failure(candidate),
            unseen=outcome is not None and not outcome.measured,
            planned=outcome is not None and outcome.planned,
            noticed=noticed(candidate),
            words=candidate.words.strip(),
            best=best.iteration + 1 if best and compared else 0,
        )

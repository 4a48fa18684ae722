"""ICPL (Yu et al., 2024, arXiv 2410.17233): K executable programs a round; who watches says which is best and worst.

The next prompt shows the good and the bad program with the traces of their terms, and how the good one differs, term by
term, from the best of each earlier round. No metric reaches the model, nor does it choose: the judge does.

A reply that cannot be executed is asked for anew, with the same prompt, as in the paper, at most as often as a fault is
repaired elsewhere. Departures: the best of *all* rounds is never lost (the judge compares each round's best with it,
and the prompt shows it where it is still preferred); why none is right, and remarks on single programs, are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from reward_agent.feedback import as_data, fenced, traces
from reward_agent.history import Candidate, History, Judgement, Outcome, crowned
from reward_agent.messages import Message
from reward_agent.methods.base import Rounds, shown
from reward_agent.task import Task
from reward_agent.term_changes import term_changes

MAX_EARLIER = 5
"""Earlier rounds whose best the good program is compared with."""


@dataclass(frozen=True)
class Example:
    """A program of an earlier round as the prompt shows it."""

    program: str
    traces: str
    remarks: tuple[str, ...]
    round: int


class Icpl(Rounds):
    """Preferences over what policies do, never a number, lead from one round to the next."""

    name: ClassVar[str] = "icpl"
    sees: ClassVar[str] = "best and worst by a judge, terms, episode length; no metric"
    compares: ClassVar[Literal["always", "may", "never"]] = "always"
    ablations: ClassVar[tuple[str, ...]] = ("traces", "differences", "bad", "feedback")
    opens_like: ClassVar[str] = "eureka"

    def messages(self, task: Task, history: History, iteration: int) -> tuple[Message, ...]:
        opening = self.opening(task)
        if iteration == 0 or self._leaves_out("feedback"):
            return opening
        judgement = history.judgements.get(iteration - 1)
        champion = history.best(before=iteration)
        if champion is None:
            return self.after_failure(opening, history, iteration)
        best, trained = judgement.best if judgement else None, history.trained(iteration - 1)
        unjudged = judgement is None and bool(trained)  # in a chat, where a person's words take the judge's place
        good = trained[-1][0] if unjudged else champion
        if best is not None:
            good = history.candidates[iteration - 1, best]
        said = self.templates.render(
            "icpl/preference.jinja",
            initial=self.is_initial(good),
            good=self._example(history, good),
            bad=self._bad(history, iteration, good, judgement),
            champion=self._example(history, champion) if champion != good and not unjudged else None,
            fresh=best is not None,
            preferred=crowned(history.judgements, iteration) is not None,
            failed=judgement is None and not trained,
            unjudged=unjudged,
            words=as_data(judgement.words) if judgement and judgement.words else "",
            differences=self._differences(history, good),
            traced=not self._leaves_out("traces"),
            steps=f"{good.outcome.steps:,}" if isinstance(good.outcome, Outcome) else "",
        )
        return (*opening, Message("assistant", shown(good)), Message("user", said))

    def _repair(self, candidate: Candidate) -> tuple[Message, ...]:
        """The prompt again: what cannot be executed is sampled anew, and its fault is not told."""
        return candidate.attempts[0].messages

    def _leaves_out(self, part: str) -> bool:
        return part in self.settings.without

    def _example(self, history: History, candidate: Candidate) -> Example:
        traced = isinstance(candidate.outcome, Outcome) and not self._leaves_out("traces")
        return Example(
            program=fenced(candidate.program.source) if candidate.program else "",
            traces=traces(candidate.outcome) if traced and isinstance(candidate.outcome, Outcome) else "",
            remarks=tuple(_remarks(history, candidate)),
            round=candidate.iteration + 1,
        )

    def _bad(self, history: History, iteration: int, good: Candidate, judgement: Judgement | None) -> Example | None:
        if judgement is None or judgement.worst is None or self._leaves_out("bad"):
            return None
        bad = history.candidates[iteration - 1, judgement.worst]
        return self._example(history, bad) if bad.program != good.program else None

    def _differences(self, history: History, good: Candidate) -> list[tuple[int, list[str]]]:
        """By round, how the good program's terms differ from those of the round's best."""
        if self._leaves_out("differences") or good.program is None:
            return []
        earlier = range(max(0, good.iteration - MAX_EARLIER), good.iteration)
        bests = [(number, history.judgements[number].best) for number in earlier if number in history.judgements]
        found = []
        for number, best in bests:
            program = history.candidates[number, best].program if best is not None else None
            if program is not None:
                found.append((number + 1, term_changes(program, good.program)))
        return found


def _remarks(history: History, candidate: Candidate) -> Iterator[str]:
    """What people said of a candidate when they judged its round."""
    judgement = history.judgements.get(candidate.iteration)
    for remark in judgement.remarks if judgement else ():
        if remark.candidate == candidate.index:
            yield as_data(remark.text)

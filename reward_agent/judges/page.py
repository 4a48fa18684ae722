"""`--judge page[:raters=N]`: people watch blind clips on the page (`reward-agent rank RUN`) and say which they prefer.

The question lies beside the run as files (`sheets`), and so do the answers (`ballots`): whoever writes one is a rater.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.history import CHAMPION, At, Judgement
from reward_agent.invocation import rank_command
from reward_agent.judges import Desk, Question
from reward_agent.judges.ballots import Ballot, read_ballot, set_aside
from reward_agent.judges.raters import combine
from reward_agent.judges.sheets import ANSWERS, Sheet, lay_out
from reward_agent.task import Task

MOST_RATERS = 99
POLL = 0.5
"""Seconds between looks for answers."""


@dataclass(frozen=True)
class PageJudge:
    """Waits until enough raters have handed in."""

    raters: int = 1
    wants_video: bool = True
    model: str | None = None

    @property
    def name(self) -> str:
        return f"page:raters={self.raters}" if self.raters > 1 else "page"

    def missing(self, task: Task) -> str | None:
        return None

    def compare(self, question: Question, desk: Desk) -> Judgement:
        sheet, champion = lay_out(question, self.raters), question.champion

        def at(index: int) -> At:
            return champion.at if champion and index == CHAMPION else (question.iteration, index)

        return combine(self.name, sheet, self._await(question, sheet, desk), at)

    def _await(self, question: Question, sheet: Sheet, desk: Desk) -> list[Ballot]:
        """The raters' answers: at a terminal they are waited for.

        Raises:
            WaitingForPersonError: they are not there, and nobody sits at a terminal.
        """
        run = question.folder.parent.parent
        wanted = f"{run.name} waits for {_people(self.raters)} to compare the clips of iteration {question.iteration}: "
        wanted += f"`{rank_command(run)}` opens the page"
        told = False
        while len(ballots := handed_in(question.folder / ANSWERS, sheet, desk)) < self.raters:
            # the descriptors themselves: whoever draws on the terminal may have put something else in their place
            if not (os.isatty(0) and os.isatty(2)):
                raise WaitingForPersonError(f"{wanted}, then `{desk.resume}` goes on.")
            if not told:
                desk.tell(f"{wanted}. It goes on as soon as {_people(self.raters)} handed in.")
                told = True
            time.sleep(POLL)
        return ballots


def handed_in(answers: Path, sheet: Sheet, desk: Desk) -> list[Ballot]:
    """What raters have handed in so far, by name. What is no answer is set aside, and told of."""
    found = []
    for path in sorted(answers.glob("*.json")):
        try:
            found.append(read_ballot(path, sheet.ids))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            try:
                aside = set_aside(path).name
            except OSError:
                continue
            desk.tell(f"{path} is no answer to this round ({error}): it is set aside as {aside}, and does not count.")
    return [ballot for ballot in found if ballot.final]


def _people(number: int) -> str:
    return "a person" if number == 1 else f"{number} people"


def make(setting: str) -> PageJudge:
    """`setting` is nothing, or `raters=N`.

    Raises:
        UsageError: it is neither.
    """
    found = re.fullmatch(r"raters=([0-9]{1,4})", setting)
    if setting and not (found and 1 <= int(found[1]) <= MOST_RATERS):
        raise UsageError(
            f"`page:{setting}` cannot be: `page` asks one person, `page:raters=N` waits for N, 1 to {MOST_RATERS}."
        )
    return PageJudge(int(found[1]) if found else 1)

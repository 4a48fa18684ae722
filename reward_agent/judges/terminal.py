"""`--judge terminal`: whoever is at the terminal watches blind clips and types how they rank.

The clips and the answer lie where those of the page do (`sheets`, `ballots`), so a round can be answered on either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.history import CHAMPION, At, Judgement
from reward_agent.invocation import rank_command
from reward_agent.judges import AskLine, Desk, Question
from reward_agent.judges.ballots import Ballot, Groups, require, write_ballot
from reward_agent.judges.page import handed_in
from reward_agent.judges.raters import combine
from reward_agent.judges.sheets import ANSWERS, Sheet, lay_out
from reward_agent.task import Task

RATER = "terminal"
HOW = (
    "Rank them from best to worst, as `c a=d b` (= ties; leave out whom you cannot judge), or tell only the ends, as "
    "`c ... b`. Nothing is no preference."
)
WORDS = "Words? `a: it limps` on one, `none: because ...` where none is right; an empty line ends them."


@dataclass(frozen=True)
class TerminalJudge:
    name: str = "terminal"
    wants_video: bool = True
    model: str | None = None

    def missing(self, task: Task) -> str | None:
        return None

    def compare(self, question: Question, desk: Desk) -> Judgement:
        sheet, champion, answers = lay_out(question, 1), question.champion, question.folder / ANSWERS
        ballots = handed_in(answers, sheet, desk)
        if not ballots:
            ballots = [self._asked(question, sheet, desk)]
            write_ballot(answers / f"{RATER}.json", ballots[0])

        def at(index: int) -> At:
            return champion.at if champion and index == CHAMPION else (question.iteration, index)

        return combine(self.name, sheet, ballots, at)

    def _asked(self, question: Question, sheet: Sheet, desk: Desk) -> Ballot:
        run = question.folder.parent.parent
        if desk.person is None:
            raise WaitingForPersonError(
                f"{run.name} waits for somebody to compare the clips of iteration {question.iteration}, and nobody is "
                f"at a terminal: `{desk.resume}` in one asks there; `{rank_command(run)}` opens a page for it in a "
                "browser."
            )
        try:
            return ask(desk.person, question.folder, sheet)
        except EOFError as error:
            raise WaitingForPersonError(
                f"{run.name} waits for your ranking of iteration {question.iteration}: `{desk.resume}` asks again."
            ) from error


def ask(line: AskLine, folder: Path, sheet: Sheet) -> Ballot:
    """A whole answer, asked for until it makes sense.

    Raises:
        EOFError: nobody answers any more.
    """
    shown = "\n".join(
        f"  {clip.id}  {folder / clip.video if clip.video else 'no clip could be made'}" for clip in sheet.clips
    )
    said = line(f"\n“{sheet.instruction}”: iteration {sheet.iteration} is trained. Watch:\n{shown}\n{HOW}\n> ")
    while True:
        try:
            ballot = read_order(said, sheet.ids)
            break
        except ValueError as error:
            said = line(f"That cannot be: {error}. {HOW}\n> ")
    said = line(f"{WORDS}\n> ")
    while said.strip():
        wrong = ""
        try:
            ballot = with_words(ballot, said, sheet.ids)
        except ValueError as error:
            wrong = f"That cannot be: {error}. {WORDS}\n"
        said = line(f"{wrong}> ")
    return replace(ballot, final=True)


def read_order(text: str, clips: Sequence[str]) -> Ballot:
    """The order in `c a=d b` or `c ... b`; no preference in nothing.

    Raises:
        ValueError: it names what there is not, or one twice.
    """
    text = text.strip().lower()
    ends = re.fullmatch(r"(\w+)\s*(?:\.\.\.?|…)\s*(\w+)", text)
    if ends:
        ballot = Ballot(RATER, best=ends[1], worst=ends[2])
    else:
        parts = re.sub(r"\s*=\s*", "=", text.replace(",", " ").replace(">", " ")).split()
        ranking: Groups = tuple(tuple(part.split("=")) for part in parts)
        ballot = Ballot(RATER, ranking=ranking or None)
    require(ballot, clips)
    return ballot


def with_words(ballot: Ballot, text: str, clips: Sequence[str]) -> Ballot:
    """The answer with what is said in `a: it limps` or `none: they all fall`.

    Raises:
        ValueError: it is about no clip.
    """
    about, _, words = (part.strip() for part in text.partition(":"))
    if not words:
        raise ValueError("it is not said of which clip")
    if about.lower() == "none":
        changed = replace(ballot, none_right=True, words="\n".join(filter(None, (ballot.words, words))))
    else:
        before = ballot.remarks.get(about.lower(), "")
        remarks = {**ballot.remarks, about.lower(): "\n".join(filter(None, (before, words)))}
        changed = replace(ballot, remarks=remarks)
    require(changed, clips)
    return changed


def make(setting: str) -> TerminalJudge:
    """There is nothing to set. Raises `UsageError` where something is."""
    if setting:
        raise UsageError(f"`terminal:{setting}` cannot be: the judge `terminal` has no settings.")
    return TerminalJudge()

"""What the pages show of a round that is to be judged, to one rater."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reward_agent.codec import decode
from reward_agent.history import Judgement
from reward_agent.invocation import resume_command
from reward_agent.judges.ballots import Ballot
from reward_agent.judges.paired import next_pair, planned
from reward_agent.judges.sheets import ANSWERS, Sheet, read_sheet
from reward_agent.web.ballot_box import LOCK, UNDONE, BallotBox
from reward_agent.web.paths import NothingThereError, judging_folder
from reward_agent.web.runs import judged_rounds, open_rounds, standing

ALONE = "me"
"""The rater's name where one person is asked and gives none."""
MODES = {"best": "Best and worst", "pairs": "Two at a time", "rank": "Full order"}
LABELS = {
    "place": "place next",
    "out": "leave out",
    "up": "move up",
    "down": "move down",
    "tie": "tie with the one above",
    "pair": "comparison",
    "remark": "remark",
    "words": "why none is right",
    "none": "none is right",
    "mode": "how to compare",
    "submit": "hand in",
    "reopen": "change the answer",
}
"""Steps as the page names them, where their own name does not."""


@dataclass(frozen=True)
class Round:
    """A question and who answers it."""

    run: Path
    number: int
    sheet: Sheet
    box: BallotBox
    judgement: Judgement | None
    """As the run took it up; nothing changes it any more."""

    @property
    def raters(self) -> list[str]:
        """Who handed in, by name."""
        return [ballot.rater for ballot in self.box.all() if ballot.final]

    @property
    def next_round(self) -> int | None:
        """Another one that waits to be judged."""
        return next((number for number in open_rounds(self.run) if number != self.number), None)


def find_round(run: Path, number: int) -> Round:
    """The round's question.

    Raises:
        NothingThereError: there is none.
    """
    folder = judging_folder(run, number)
    sheet = read_sheet(folder)
    if sheet is None or any((folder / name).is_symlink() for name in (ANSWERS, UNDONE, LOCK)):
        raise NothingThereError("There is nothing to judge in this round.")
    recorded = judged_rounds(run).get(number)
    return Round(run, number, sheet, BallotBox(folder, sheet), decode(Judgement, recorded) if recorded else None)


def status(round_: Round, rater: str) -> dict[str, Any]:
    """What changes while a rater looks on: who else handed in, and what became of the round."""
    judged = round_.judgement
    names = {clip.candidate: clip.id for clip in round_.sheet.clips}
    return {
        "folder": quote(round_.run.name, safe=""),
        "run_name": round_.run.name,
        "iteration": round_.number,
        "rater": rater,
        "raters": round_.raters,
        "wanted": round_.sheet.raters,
        "judgement": judged,
        "best": names.get(judged.best) if judged and judged.best is not None else None,
        "worst": names.get(judged.worst) if judged and judged.worst is not None else None,
        "standing": standing(round_.run),
        "next_round": round_.next_round,
        "resume": resume_command(round_.run),
        "final": round_.box.ballot(rater).final,
    }


def session(round_: Round, rater: str, *, refused: tuple[str, str] | None = None) -> dict[str, Any]:
    """All that the page shows to a rater.

    Args:
        round_: the question.
        rater: who looks at it.
        refused: a step and its text that were not taken, because another tab had saved meanwhile.
    """
    ballot, sheet = round_.box.ballot(rater), round_.sheet.seen_by(rater)
    pair = next_pair(sheet, ballot.pairs) if ballot.mode == "pairs" else None
    places = {clip: place for place, group in enumerate(ballot.ranking or (), 1) for clip in group}
    return status(round_, rater) | {
        "sheet": sheet,
        "ballot": ballot,
        "modes": MODES,
        "pair": pair,
        "planned": planned(sheet),
        "places": places,
        "progress": progress(ballot, sheet),
        "can_undo": round_.box.can_undo(rater),
        "refused": refused,
        "told_of": told_of,
    }


def progress(ballot: Ballot, sheet: Sheet) -> str:
    """How far a rater is."""
    if ballot.mode == "pairs":
        left = next_pair(sheet, ballot.pairs) is not None
        done = min(len(ballot.pairs), planned(sheet) - left)
        return f"{done} of {planned(sheet)} comparisons made"
    if ballot.mode == "rank":
        return f"{sum(map(len, ballot.ranking or ()))} of {len(sheet.clips)} clips placed"
    chosen = sum(each is not None for each in (ballot.best, ballot.worst))
    return f"{chosen} of 2 chosen"


def told_of(do: str) -> str:
    """A step in words, for who is told that it was not taken."""
    name, _, about = do.partition(":")
    of = " ".join(about.split(":")) if name == "pair" else about
    label = LABELS.get(name, name)
    return f"{label}: {of.upper() if name not in ('mode', 'none') else of}" if of else label

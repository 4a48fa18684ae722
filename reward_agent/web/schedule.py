"""Which two clips a rater compares next, by the schedule of the judges that answer at once (`judges.pairs`)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from zlib import crc32

from reward_agent.judges.ballots import Pair
from reward_agent.judges.pairs import Answer, schedule
from reward_agent.judges.sheets import Sheet

Two = tuple[str, str]


def next_pair(sheet: Sheet, made: Sequence[Pair]) -> Two | None:
    """The next comparison after those that were made; None where all were."""
    own = [clip for clip in sheet.ids if clip != sheet.champion]
    if not own:
        return None
    plan = _plan(sheet, own)
    answers = iter(made)
    asked = next(plan, None)
    while asked is not None:
        pair = next(answers, None)
        if pair is None or (pair.first, pair.second) != asked:
            return asked
        try:
            asked = plan.send(pair.answer)
        except StopIteration:
            return None
    return None


def planned(sheet: Sheet) -> int:
    """How many comparisons there are in all."""
    own = len(sheet.clips) - (sheet.champion is not None)
    return max(0, own - 1) + max(0, own - 2) + (sheet.champion is not None and own > 0)


def _plan(sheet: Sheet, own: Sequence[str]) -> Generator[Two, Answer, object]:
    """Who stands first is drawn, the same each time."""

    def turned(challenger: str, holder: str) -> bool:
        two = sorted((challenger, holder))
        return two[crc32(f"{sheet.iteration} {sheet.ids} {two}".encode()) & 1] == holder

    return schedule(own, sheet.champion, turned)

"""Two clips at a time: which a rater compares next, and what the answers come to, by the schedule of `judges.pairs`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from hashlib import sha256
from typing import NamedTuple

from reward_agent.judges.ballots import Pair
from reward_agent.judges.pairs import Answer, schedule
from reward_agent.judges.sheets import Sheet

Two = tuple[str, str]
_TURNED: dict[Answer, Answer] = {"first": "second", "second": "first", "tie": "tie", "skip": "skip"}


class Found(NamedTuple):
    """What a rater's comparisons came to, in clips."""

    best: str
    worst: str | None
    beats_champion: bool | None
    told_apart: bool
    """Some of the round's own were."""


def next_pair(sheet: Sheet, made: Sequence[Pair]) -> Two | None:
    """The next comparison after those that were made; None where all were."""
    asked = _played(sheet, made)
    return asked if not isinstance(asked, Found | None) else None


def came_to(sheet: Sheet, made: Sequence[Pair]) -> Found | None:
    """What all comparisons came to; None where some are still to be made, or there is nothing to compare."""
    ended = _played(sheet, made)
    return ended if isinstance(ended, Found) else None


def planned(sheet: Sheet) -> int:
    """How many comparisons there are in all."""
    own = len(sheet.clips) - (sheet.champion is not None)
    return max(0, own - 1) + max(0, own - 2) + (sheet.champion is not None and own > 0)


def _played(sheet: Sheet, made: Sequence[Pair]) -> Two | Found | None:
    """The first comparison that has no answer yet, or what they came to.

    Answers are taken by the two that they are about, each once, whatever order they were asked in.
    """
    own = [clip for clip in sheet.ids if clip != sheet.champion]
    if not own:
        return None
    plan, left, told_apart = _plan(sheet, own), list(made), len(own) == 1
    try:
        asked = next(plan)
        while True:
            pair = next((each for each in left if {each.first, each.second} == set(asked)), None)
            if pair is None:
                return asked
            left.remove(pair)
            told_apart |= pair.answer in ("first", "second") and sheet.champion not in asked
            asked = plan.send(pair.answer if pair.first == asked[0] else _TURNED[pair.answer])
    except StopIteration as end:
        best, worst, beats = end.value
        return Found(best, worst, beats, told_apart)


def _plan(sheet: Sheet, own: Sequence[str]) -> Generator[Two, Answer, tuple[str, str | None, bool | None]]:
    """Who stands first is drawn, the same each time."""

    def turned(challenger: str, holder: str) -> bool:
        two = sorted((challenger, holder))
        return two[sha256(f"{sheet.iteration} {sheet.ids} {two}".encode()).digest()[0] & 1] == holder

    return schedule(own, sheet.champion, turned)

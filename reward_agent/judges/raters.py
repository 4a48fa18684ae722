"""The answers of one or several raters as one judgement, by their mean ranks.

Each rater's answer, however it was given, becomes an order with ties. Where raters differ the mean rank decides; a clip
that a rater skipped has no rank of theirs, and ranks count relative to how many were ranked. Comparisons are counted as
made: each pair that was put; K - 1 for the best of K and K - 2 for the worst of the others; n - 1 between neighbours of
a ranking of n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from reward_agent.history import At, Judgement, Preference, Remark
from reward_agent.judges.agreement import kendall_w, order_of
from reward_agent.judges.ballots import Ballot, Groups
from reward_agent.judges.paired import came_to
from reward_agent.judges.sheets import Sheet

NONE_RIGHT = "None is right."
"""Of who says so and gives no reason."""
LEAST = 3
"""Clips from which on an agreement can be told."""


def combine(judge: str, sheet: Sheet, ballots: Sequence[Ballot], at: Callable[[int], At]) -> Judgement:
    """What the raters' answers come to.

    Args:
        judge: its name.
        sheet: what they were asked.
        ballots: one a rater.
        at: where a candidate of the sheet is, by its index (-1 is the champion).
    """
    candidate = {clip.id: clip.candidate for clip in sheet.clips}
    orders = {ballot.rater: found for ballot in ballots if (found := order(ballot, sheet.ids))}
    places = [_places(groups) for groups in orders.values()]
    named = any(ballot.rater in orders and _names_best(ballot) for ballot in ballots)
    best, worst, beats = _of_one(sheet, ballots) or (*_ends(sheet, places, named), None)
    if beats is None:
        beats = _beats(best, sheet.champion, places)
    return Judgement(
        judge=judge,
        best=None if best is None else candidate[best],
        worst=None if worst is None else candidate[worst],
        beats_champion=beats,
        queries=sum(comparisons(ballot, len(sheet.clips)) for ballot in ballots),
        preferences=tuple(
            Preference(at(candidate[pair.first]), at(candidate[pair.second]), pair.answer)
            for ballot in ballots
            if ballot.ranking is None
            for pair in ballot.pairs
        ),
        rankings={
            rater: tuple(tuple(candidate[clip] for clip in group) for group in groups)
            for rater, groups in orders.items()
        },
        words="\n\n".join(b.words.strip() or NONE_RIGHT for b in ballots if b.none_right),
        remarks=tuple(
            Remark(candidate[clip], text.strip(), ballot.rater)
            for ballot in ballots
            for clip, text in ballot.remarks.items()
            if text.strip()
        ),
        agreement=agreement(sheet.ids, list(orders.values())),
    )


def order(ballot: Ballot, clips: Sequence[str]) -> Groups:
    """A rater's order from best to worst: their ranking, else what their pairs tell, else the best and the worst."""
    if ballot.ranking is not None:
        return tuple(group for group in ballot.ranking if group)
    if ballot.pairs:
        return order_of((pair.first, pair.second, pair.answer) for pair in ballot.pairs)
    if ballot.best is None and ballot.worst is None:
        return ()
    ends = (ballot.best, ballot.worst)
    groups = [(ballot.best,), tuple(clip for clip in clips if clip not in ends), (ballot.worst,)]
    return tuple(kept for group in groups if (kept := tuple(clip for clip in group if clip is not None)))


def comparisons(ballot: Ballot, clips: int) -> int:
    """That the rater made; see the module for how they are counted."""
    if ballot.ranking is not None:
        return max(0, sum(map(len, ballot.ranking)) - 1)
    if ballot.pairs:
        return len(ballot.pairs)
    ends = [clip for clip in (ballot.best, ballot.worst) if clip is not None]
    return sum(max(0, clips - 1 - index) for index in range(len(ends)))


def agreement(clips: Sequence[str], orders: Sequence[Groups]) -> float | None:
    """Kendall's W of the raters who ranked every clip, corrected for ties; None of fewer than two, or of few clips."""
    whole = [groups for groups in orders if sum(map(len, groups)) == len(clips)]
    return kendall_w(whole) if len(clips) >= LEAST else None


def _of_one(sheet: Sheet, ballots: Sequence[Ballot]) -> tuple[str | None, str | None, bool | None] | None:
    """Best, worst and whether the best beats the champion, where one rater compared two at a time and made all
    comparisons: as judges that answer at once, a tie changes nothing."""
    if len(ballots) != 1 or ballots[0].ranking is not None:
        return None
    ended = came_to(sheet.seen_by(ballots[0].rater), ballots[0].pairs)
    if ended is None:
        return None
    if ended.told_apart or ended.beats_champion:
        return ended.best, ended.worst if ended.told_apart else None, ended.beats_champion
    return None, None, None


def _names_best(ballot: Ballot) -> bool:
    return ballot.ranking is not None or bool(ballot.pairs) or ballot.best is not None


def _ends(sheet: Sheet, places: Sequence[Mapping[str, float]], named: bool) -> tuple[str | None, str | None]:
    """The best and the worst clip of the round; who is tied is drawn, by the order of the clips, which is shuffled."""
    mean = {
        clip: round(fmean(known), 9) for clip in sheet.ids if (known := [each[clip] for each in places if clip in each])
    }
    own = [clip for clip in mean if clip != sheet.champion]
    alike = len(mean) > 1 and len(set(mean.values())) == 1
    best = min(own, key=lambda clip: mean[clip]) if own and named and not alike else None
    if (
        best is not None
        and sum(mean[clip] == mean[best] for clip in own) > 1
        and mean.get(sheet.champion or "", 1) < mean[best]
    ):
        best = None  # the champion was picked, and nobody told the round's own apart
    others = [clip for clip in own if clip != best]
    last = [clip for clip in others if mean[clip] == max(mean[other] for other in others)]
    untold = len(last) > 1 and len(last) == len(others)  # nobody told them apart
    worst = None if not last or untold or (best is not None and mean[last[0]] == mean[best]) else last[0]
    return best, None if best is None and len(own) == 1 else worst


def _beats(best: str | None, champion: str | None, places: Sequence[Mapping[str, float]]) -> bool | None:
    """Whether more raters prefer the best to the champion than the other way round."""
    if best is None or champion is None:
        return None
    signs = [
        (each[best] < each[champion]) - (each[best] > each[champion]) for each in places if {best, champion} <= {*each}
    ]
    return sum(signs) > 0


def _places(groups: Groups) -> dict[str, float]:
    """Between 0 (best) and 1: the middle of a clip's group, relative to all that were ranked."""
    total, before = sum(map(len, groups)), 0
    places: dict[str, float] = {}
    for group in groups:
        places |= dict.fromkeys(group, (before + len(group) / 2) / total)
        before += len(group)
    return places

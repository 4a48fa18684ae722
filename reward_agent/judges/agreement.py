"""What a rater's answers about pairs order, and how far several raters agree: Kendall's coefficient of concordance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from reward_agent.judges.pairs import Answer

T = TypeVar("T", int, str)


def kendall_w(rankings: Iterable[Sequence[Sequence[T]]]) -> float | None:
    """W of rankings: groups from best to worst, those of one group tied, which is corrected for (Kendall, 1948).

    0 is no agreement, 1 where all rank alike. Only those count that every rater ranked. None of fewer than two raters
    or two ranked, or where all are tied.
    """
    from scipy.stats import rankdata

    places = [{one: place for place, group in enumerate(ranking) for one in group} for ranking in rankings]
    common = sorted(set.intersection(*map(set, places))) if places else []
    raters, ranked = len(places), len(common)
    if raters < 2 or ranked < 2:
        return None
    ranks = np.array([rankdata([place[one] for one in common]) for place in places])
    spread = float(((ranks.sum(0) - ranks.sum(0).mean()) ** 2).sum())
    counts = [np.unique(row, return_counts=True)[1] for row in ranks]
    tied = float(sum((count**3 - count).sum() for count in counts))
    most = (raters**2 * (ranked**3 - ranked) - raters * tied) / 12
    return spread / most if most > 0 else None


def order_of(pairs: Iterable[tuple[T, T, Answer]]) -> tuple[tuple[T, ...], ...]:
    """Groups from best to worst, by how many one is preferred to less how many are preferred to it, also by way of
    others; who was in no answered pair is left out.

    Whatever is preferred to another stands before it, but in a circle, whose members are tied. Two that were found
    alike are tied where that turns no preference round.
    """
    answered = [pair for pair in pairs if pair[2] != "skip"]
    preferred: list[tuple[T, T]] = [
        (one, other) if said == "first" else (other, one) for one, other, said in answered if said != "tie"
    ]
    ones: set[T] = {one for first, second, _ in answered for one in (first, second)}
    edges: list[tuple[T, T]] = list(preferred)
    told = _reached(ones, edges)
    for first, second, answer in answered:
        if answer == "tie":
            both: list[tuple[T, T]] = [(first, second), (second, first)]
            tied = _reached(ones, edges + both)
            if all(winner in told[loser] or winner not in tied[loser] for winner, loser in preferred):
                edges += both
    below = _reached(ones, edges)
    score = {
        one: sum(other in below[one] for other in ones if one not in below[other])
        - sum(one in below[other] for other in ones if other not in below[one])
        for one in ones
    }
    levels = sorted(set(score.values()), reverse=True)
    return tuple(tuple(sorted(one for one in score if score[one] == level)) for level in levels)


def _reached(ones: Iterable[T], edges: Iterable[tuple[T, T]]) -> dict[T, set[T]]:
    """Of each, those that a way of edges leads to."""
    found: dict[T, set[T]] = {one: set() for one in ones}
    for start, end in edges:
        found[start].add(end)
    for via in found:
        for one, others in found.items():
            if via in others:
                found[one] = others | found[via]
    return found

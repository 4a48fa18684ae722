"""What a rater's answers about pairs order, and how far several raters agree: Kendall's coefficient of concordance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
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
    alike, and never told apart, share what they have.
    """
    answered = [pair for pair in pairs if pair[2] != "skip"]
    below: dict[T, set[T]] = {one: set() for first, second, _ in answered for one in (first, second)}
    for first, second, answer in answered:
        if answer == "first":
            below[first].add(second)
        elif answer == "second":
            below[second].add(first)
    for via in below:
        for one, under in below.items():
            if via in under:
                below[one] = under | below[via]
    score = {one: len(under) - sum(one in other for other in below.values()) for one, under in below.items()}
    alike = [(first, second) for first, second, answer in answered if answer == "tie"]
    alike = [(one, other) for one, other in alike if other not in below[one] and one not in below[other]]
    sharing = {one: {one}.union(*(two for two in alike if one in two)) for one in score}
    shared = {one: fmean(score[each] for each in others) for one, others in sharing.items()}
    levels = sorted(set(shared.values()), reverse=True)
    return tuple(tuple(sorted(one for one in shared if shared[one] == level)) for level in levels)

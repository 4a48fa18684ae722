"""How far several raters agree: Kendall's coefficient of concordance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from reward_agent.history import At, Preference

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


def ranking_of(preferences: Iterable[Preference], numbers: Mapping[At, int]) -> tuple[tuple[int, ...], ...]:
    """The order that answers about pairs give, by comparisons won less those lost; `numbers` are what to rank.

    Who was in no answered pair is left out.
    """
    won: dict[int, int] = {}
    for preference in preferences:
        if preference.answer == "skip":
            continue
        first, second = numbers[preference.first], numbers[preference.second]
        gain = {"first": 1, "second": -1, "tie": 0}[preference.answer]
        won[first] = won.get(first, 0) + gain
        won[second] = won.get(second, 0) - gain
    return tuple(
        tuple(sorted(one for one, net in won.items() if net == level)) for level in sorted(set(won.values()))[::-1]
    )

"""The schedule of comparisons by which the best and the worst of a round are found, two at a time.

The best of K takes K - 1 comparisons, the worst of the others K - 2, and one more compares the round's best with the
best of the rounds before: over N rounds (K - 1) · 2N - 1, which is how ICPL (Yu et al., 2024) counts its queries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from reward_agent.history import Judgement, Preference
from reward_agent.judges import Entrant, Question

Answer = Literal["first", "second", "tie", "skip"]
Prefer = Callable[[Entrant, Entrant], Answer]


def published_queries(candidates: int, rounds: int) -> int:
    """Comparisons as ICPL counts them: 49 of five rounds of six; of rounds of one, those with the best before."""
    return (candidates - 1) * 2 * rounds - 1 if candidates > 1 else max(0, rounds - 1)


def generator(question: Question, purpose: str) -> np.random.Generator:
    """Of what is random about a judge's answer to this question."""
    return np.random.default_rng([question.seed, question.iteration, *purpose.encode()])


def shuffled(question: Question) -> list[Entrant]:
    """The round's entrants in an order that tells nothing, the same each time it is asked."""
    order = generator(question, "order").permutation(len(question.entrants))
    return [question.entrants[index] for index in order]


def best_and_worst(question: Question, judge: str, prefer: Prefer) -> Judgement:
    """Find both by asking `prefer` of two at a time; who stands first is shuffled. A tie or a skip changes nothing.

    Where not one comparison of the round's own was decided, chance would name them: then there is no worst, and no best
    but one that is preferred to the champion.
    """
    made: list[Preference] = []
    coin = generator(question, "sides")

    def better(challenger: Entrant, holder: Entrant) -> bool:
        first, second = (challenger, holder) if coin.random() < 0.5 else (holder, challenger)
        answer = prefer(first, second)
        made.append(Preference(first.at, second.at, answer))
        return answer == ("first" if first is challenger else "second")

    best, *others = shuffled(question)
    for challenger in others:
        if better(challenger, best):
            best = challenger
    rest = [entrant for entrant in shuffled(question) if entrant is not best]
    worst = rest[0] if rest else None
    for challenger in rest[1:]:
        assert worst is not None, "there is one to compare with"
        if better(worst, challenger):
            worst = challenger
    told_apart = not made or any(each.answer in ("first", "second") for each in made)
    beats = None if question.champion is None else better(best, question.champion)
    preferred = told_apart or beats is True
    return Judgement(
        judge=judge,
        best=best.at[1] if preferred else None,
        worst=worst.at[1] if worst and told_apart else None,
        beats_champion=beats if preferred else None,
        queries=len(made),
        preferences=tuple(made),
    )

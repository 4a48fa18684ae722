"""The schedule of comparisons by which the best and the worst of a round are found, two at a time.

The best of K takes K - 1 comparisons, the worst of the others K - 2, and one more compares the round's best with the
best of the rounds before: over N rounds (K - 1) · 2N - 1, which is how ICPL (Yu et al., 2024) counts its queries.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Literal, TypeVar

import numpy as np

from reward_agent.history import Judgement, Preference
from reward_agent.judges import Entrant, Question

T = TypeVar("T")
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


def schedule(
    own: Sequence[T], champion: T | None, turned: Callable[[T, T], bool]
) -> Generator[tuple[T, T], Answer, tuple[T, T | None, bool | None]]:
    """Two at a time, first and second; the answer to each is sent in. A tie or a skip changes nothing.

    Args:
        own: the round's, at least one.
        champion: the best of the rounds before.
        turned: whether of a challenger and a holder the holder is shown first.

    Returns:
        The best, the worst, and whether the best is better than the champion.
    """

    def better(challenger: T, holder: T) -> Generator[tuple[T, T], Answer, bool]:
        first, second = (holder, challenger) if turned(challenger, holder) else (challenger, holder)
        answer = yield first, second
        return answer == ("first" if first is challenger else "second")

    best, *others = own
    for challenger in others:
        if (yield from better(challenger, best)):
            best = challenger
    rest = [one for one in own if one is not best]
    worst = rest[0] if rest else None
    for challenger in rest[1:]:
        assert worst is not None, "there is one to compare with"
        if (yield from better(worst, challenger)):
            worst = challenger
    beats = None if champion is None else (yield from better(best, champion))
    return best, worst, beats


def best_and_worst(question: Question, judge: str, prefer: Prefer) -> Judgement:
    """Find both by asking `prefer` of two at a time; who stands first is shuffled.

    Where not one comparison of the round's own was decided, chance would name them: then there is no worst, and no best
    but one that is preferred to the champion.
    """
    made: list[Preference] = []
    coin = generator(question, "sides")
    plan = schedule(shuffled(question), question.champion, lambda *_: coin.random() >= 0.5)
    try:
        first, second = next(plan)
        while True:
            made.append(Preference(first.at, second.at, prefer(first, second)))
            first, second = plan.send(made[-1].answer)
    except StopIteration as end:
        best, worst, beats = end.value
    own = [each for each in made if not question.champion or question.champion.at not in (each.first, each.second)]
    told_apart = not own or any(each.answer in ("first", "second") for each in own)
    preferred = told_apart or beats is True
    return Judgement(
        judge=judge,
        best=best.at[1] if preferred else None,
        worst=worst.at[1] if worst and told_apart else None,
        beats_champion=beats if preferred else None,
        queries=len(made),
        preferences=tuple(made),
    )

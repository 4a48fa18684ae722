"""How rightly transitions were judged: accuracy, precision, recall and F1, of any subgoal and of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reward_agent.crediting import Reached
from reward_agent.history import Interval
from reward_agent.program import Fault
from reward_agent.schema import Array

RESAMPLES = 2000


class Judged(NamedTuple):
    """One transition, what is so and what was said of it."""

    trajectory: str
    """Which it is of: transitions of one are alike, so whole trajectories are drawn for intervals."""
    truth: Reached
    said: Reached | Fault


@dataclass(frozen=True)
class Score:
    """Of yes or no, with 95 % intervals of a bootstrap over trajectories; nan where there is nothing to divide by."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    accuracy: Interval
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class Scores:
    any: Score
    """Whether a transition reached any subgoal at all, which can be asked whatever the subgoals are called: as the
    paper scores."""
    by_subgoal: Mapping[str, Score]
    """Of those that truth and judge call the same."""
    judged: int
    faults: int
    """Transitions on which nothing could be understood. They are in no score: a fault is not "no"."""
    trajectories: int


def score(judged: Sequence[Judged], seed: int = 0) -> Scores:
    """Score what was said; `seed` is of the bootstrap.

    Raises:
        ValueError: nothing was judged.
    """
    if not judged:
        raise ValueError("nothing was judged")
    read = [(each.trajectory, each.truth, each.said) for each in judged if not isinstance(each.said, Fault)]
    places = {name: number for number, name in enumerate(dict.fromkeys(each.trajectory for each in judged))}
    drawn = np.random.default_rng(seed).multinomial(len(places), np.full(len(places), 1 / len(places)), RESAMPLES)

    def of(pick: Callable[[Reached], bool]) -> Score:
        # of each trajectory: true and false positives, false and true negatives
        counts = np.zeros((len(places), 4))
        for trajectory, truth, said in read:
            true, yes = pick(truth), pick(said)
            counts[places[trajectory], (0 if true else 1) if yes else (2 if true else 3)] += 1
        return _score(counts, drawn)

    shared = [name for name in judged[0].truth if all(name in said for _, _, said in read)] if read else []
    return Scores(
        any=of(lambda reached: any(reached.values())),
        by_subgoal={name: of(lambda reached, name=name: reached[name]) for name in shared},  # type: ignore[misc]
        judged=len(judged),
        faults=len(judged) - len(read),
        trajectories=len(places),
    )


def _score(counts: Array, drawn: NDArray[np.int64]) -> Score:
    total, spread = _figures(counts.sum(0)), _figures(drawn @ counts)
    tp, fp, fn, tn = (int(number) for number in counts.sum(0))
    return Score(tp, fp, fn, tn, *(_interval(value, all_) for value, all_ in zip(total, spread, strict=True)))


def _figures(counts: Array) -> tuple[Array, Array, Array, Array]:
    """Accuracy, precision, recall and F1 `(…)` of counts `(…, 4)`."""
    tp, fp, fn, tn = np.moveaxis(counts, -1, 0)
    return (
        _share(tp + tn, tp + fp + fn + tn),
        _share(tp, tp + fp),
        _share(tp, tp + fn),
        _share(2 * tp, 2 * tp + fp + fn),
    )


def _share(part: Array, whole: Array) -> Array:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def _interval(value: Array, spread: Array) -> Interval:
    known = spread[np.isfinite(spread)]
    low, high = np.quantile(known, (0.025, 0.975)).tolist() if len(known) else (np.nan, np.nan)
    return Interval(float(value), low, high)

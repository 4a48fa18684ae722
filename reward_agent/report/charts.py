"""The curves of a run: what its trainings showed, and how the rounds compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from reward_agent.chronicle import CandidateRecord, Chronicle
from reward_agent.drawing import Series, interval_chart, line_chart
from reward_agent.history import Outcome
from reward_agent.optimise import Curves
from reward_agent.result import Result

POINTS = 120
"""Of a curve that is drawn; of more, means of equal stretches."""


def candidate_charts(candidate: CandidateRecord, *, blind: bool = False) -> list[Markup]:
    """Of its training: the metric where it was measured on the way (unless `blind`), the return, the episodes' length,
    and each term."""
    outcome = candidate.outcome
    if outcome is None:
        return []
    first = next(iter(outcome.metrics), "")
    # the graded metric has no other name in an outcome: its last point is its mean
    graded = next((name for name, found in outcome.metrics.items() if [found.mean] == [*outcome.task_score[-1:]]), "")
    courses = {first: outcome.success, graded or "task score": outcome.task_score}
    charts = [
        line_chart(f"metric: {name}", [Series(name, outcome.measured_at, values)], x_label="steps")
        for name, values in courses.items()
        if len(values) > 1 and not blind
    ]
    return charts + [
        line_chart(title, [Series(title, x, y)], x_label="steps")
        for title, x, y in (_full(candidate.curves) if candidate.curves else _coarse(outcome))
    ]


def metric_charts(run: Chronicle) -> list[Markup]:
    """Each metric by iteration: every candidate a dot, and the best so far a line."""
    names = dict.fromkeys(name for c in run.candidates if c.outcome for name in c.outcome.metrics)
    return [_by_round(run, name) for name in names]


def result_charts(result: Result) -> list[Markup]:
    """Each metric of the result beside the expert's and the floors'."""
    rows = {"this reward": result.metrics, "expert reward": result.expert or {}, **result.floors}
    return [
        interval_chart(name, [(whose, metrics[name]) for whose, metrics in rows.items() if name in metrics])
        for name in result.metrics
    ]


def thinned(values: ArrayLike, most: int = POINTS) -> NDArray[np.float64]:
    """At most `most` means over equal stretches; nan where a stretch has no number."""
    array = np.asarray(values, np.float64)
    if len(array) <= most:
        return array
    known = np.isfinite(array)
    parts = zip(np.array_split(np.where(known, array, 0.0), most), np.array_split(known, most), strict=True)
    return np.array([part.sum() / count if (count := known.sum()) else np.nan for part, known in parts])


def _full(curves: Curves) -> Iterator[tuple[str, Sequence[float], Sequence[float]]]:
    steps = thinned(curves.steps).tolist()
    named = {"return": curves.episode_return, "episode length": curves.episode_length}
    for title, values in (*named.items(), *((f"term: {name}", each) for name, each in curves.terms.items())):
        yield title, steps, thinned(values).tolist()


def _coarse(outcome: Outcome) -> Iterator[tuple[str, Sequence[float], Sequence[float]]]:
    """What the journal has, where the file of curves is gone: means over equal stretches of the training."""
    named = {"return": outcome.episode_return, "episode length": outcome.episode_length}
    for title, values in (*named.items(), *((f"term: {name}", each) for name, each in outcome.terms.items())):
        yield title, [outcome.steps * (index + 0.5) / len(values) for index in range(len(values))], values


def _by_round(run: Chronicle, name: str) -> Markup:
    dots = [
        (each.iteration, candidate.outcome.metrics[name].mean)
        for each in run.rounds
        for candidate in each.candidates
        if candidate.outcome and name in candidate.outcome.metrics
    ]
    so_far = [
        (each.iteration, best.outcome.metrics[name].mean)
        for each in run.rounds
        if (best := run.candidate(each.best_so_far)) and best.outcome and name in best.outcome.metrics
    ]
    series = [
        Series("best so far", [x for x, _ in so_far], [y for _, y in so_far]),
        Series("candidates", [x for x, _ in dots], [y for _, y in dots], line=False),
    ]
    return line_chart(f"{name} on the select seeds", series, x_label="iteration", wide=True, whole=True)

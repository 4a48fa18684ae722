"""Learning curves of a sweep: every training's points as CSV, and a picture with a panel a task."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np

from reward_agent.sweep.components import component
from reward_agent.sweep.finished import Finished

COLUMNS = ("task", "reward", "seed", "training", "metric", "steps", "value")
ACROSS = 3
"""Panels side by side, at most."""


def to_csv(finished: Sequence[Finished]) -> str:
    """One line a point, as measured: nothing is averaged or smoothed."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in finished:
        for curve in each.curves:
            known = (each.job.task, each.job.label, each.job.seed, curve.training, each.judged.metric)
            writer.writerows((*known, *point) for point in zip(curve.steps, curve.values, strict=True))
    return file.getvalue()


def to_png(finished: Sequence[Finished]) -> bytes | None:
    """Each training as a thin line, and the mean of a label's as a thick one; None where nothing was measured.

    There is no band: over a few trainings an interval hides more than their own lines show.

    Raises:
        MissingComponentError: matplotlib is not installed.
    """
    drawn = [each for each in finished if any(len(curve.steps) > 1 for curve in each.curves)]
    if not drawn:
        return None
    figure_module, colours = component("matplotlib.figure"), component("matplotlib").colormaps["tab10"].colors
    tasks = list(dict.fromkeys(each.job.task for each in drawn))
    labels = list(dict.fromkeys(each.job.label for each in drawn))
    colour = {label: colours[index % len(colours)] for index, label in enumerate(labels)}
    across, down = min(ACROSS, len(tasks)), math.ceil(len(tasks) / ACROSS)
    figure = figure_module.Figure(figsize=(4.2 * across, 3.1 * down + 0.35 * len(labels)), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).flat
    handles: dict[str, object] = {}
    for task, panel in zip(tasks, panels, strict=False):
        own = [each for each in drawn if each.job.task == task]
        for label in dict.fromkeys(each.job.label for each in own):
            curves = [curve for each in own if each.job.label == label for curve in each.curves]
            for curve in curves:
                panel.plot(curve.steps, curve.values, color=colour[label], linewidth=0.8, alpha=0.45)
            steps, values = mean_curve([(curve.steps, curve.values) for curve in curves])
            (handles[label],) = panel.plot(steps, values, color=colour[label], linewidth=2.0)
        judged = own[0].judged
        panel.set(title=task, xlabel="environment steps", ylabel=judged.metric)
        if judged.kind == "success":
            panel.set_ylim(-0.04, 1.04)
        panel.grid(alpha=0.25)
    for panel in list(panels)[len(tasks) :]:
        panel.set_visible(False)
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=1, frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150, metadata={"Software": None})
    return file.getvalue()


def mean_curve(curves: Sequence[tuple[Sequence[int], Sequence[float]]]) -> tuple[list[float], list[float]]:
    """Steps and values of the mean of curves, point by point as far as all of them go."""
    shortest = min(len(steps) for steps, _ in curves)
    steps = np.mean([list(steps)[:shortest] for steps, _ in curves], axis=0)
    values = np.mean([list(values)[:shortest] for _, values in curves], axis=0)
    return steps.tolist(), values.tolist()
